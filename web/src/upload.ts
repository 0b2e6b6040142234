// Everything that is on its way to the server: files over tus, links, and the jobs they become. One list, newest first.
import * as tus from "tus-js-client";
import { addressOf } from "./base.ts";
import { ApiError, api, type Job } from "./api.ts";
import { follow, isOver } from "./follow.ts";
import { type Happening, type Item, Speed, advance } from "./logic/sending.ts";
import { session } from "./session.ts";
import { Store } from "./store.ts";
import { t } from "./strings.ts";

const ENDPOINT = addressOf("/v1/uploads");
const AT_ONCE = 2; // files that are sent at the same time; more only share the same line
// Together two minutes; after that a person is asked, or the browser says that it is online again.
const RETRY_MS = [500, 1000, 2000, 4000, 8000, 15000, 30000, 60000];

// The server names an upload from its own root, which the library takes for the root of the host.
class HttpStack extends tus.DefaultHttpStack {
  override createRequest(method: string, url: string): tus.HttpRequest {
    const request = super.createRequest(method, url);
    const send = request.send.bind(request);
    request.send = async (body) => {
      const response = await send(body);
      const header = response.getHeader.bind(response);
      response.getHeader = (name) => {
        const value = header(name);
        return name.toLowerCase() === "location" && value?.startsWith("/v1/") ? addressOf(value) : value;
      };
      return response;
    };
    return request;
  }
}

// What an item needs besides what is shown.
interface Work {
  file?: File;
  link?: string;
  preview?: string; // blob: URL of the file
  upload?: tus.Upload;
  previous?: tus.PreviousUpload;
  speed: Speed;
  unfollow?: () => void;
}

export interface Unfinished {
  key: string;
  name: string;
  size: number;
}

export const items = new Store<readonly Item[]>([]);
// Uploads that an earlier visit left unfinished: the browser must be given the file again.
export const unfinished = new Store<readonly Unfinished[]>([]);
const works = new Map<string, Work>();
const newcomers = new Set<string>();
let count = 0;

function find(key: string): Item | undefined {
  return items.value.find((item) => item.key === key);
}

function happen(key: string, happening: Happening): void {
  items.set(items.value.map((item) => (item.key === key ? advance(item, happening) : item)));
  fillUp();
}

function add(item: Omit<Item, "key" | "sent" | "progress">, work: Omit<Work, "speed">): string {
  count += 1;
  const key = `item${count}`;
  works.set(key, { ...work, speed: new Speed() });
  items.set([{ ...item, key, sent: 0, progress: 0, started: Date.now() }, ...items.value]);
  newcomers.add(key);
  return key;
}

// Whether it came in this visit, so that its result is opened without being asked for.
export function isNew(key: string): boolean {
  return newcomers.has(key);
}

export function previewOf(key: string): string | undefined {
  return works.get(key)?.preview;
}

// Begins the oldest that waits; that it began is a happening, which asks for the next.
function fillUp(): void {
  const busy = items.value.filter((item) => item.phase === "sending" || item.phase === "retrying").length;
  const next = items.value.filter((item) => item.phase === "waiting" && works.get(item.key)?.upload).at(-1);
  if (next && busy < AT_ONCE) begin(next.key);
}

export async function addFile(file: File): Promise<void> {
  const most = session.value?.max_bytes ?? Number.POSITIVE_INFINITY;
  const key = add({ name: file.name, size: file.size, phase: "paused" }, { file, preview: URL.createObjectURL(file) });
  if (file.size === 0) return happen(key, { what: "stopped", error: { title: t.upload.empty } });
  if (file.size > most) return happen(key, { what: "stopped", error: { title: t.upload.tooLarge(most) } });
  prepare(key, file);
  const previous = (await works.get(key)?.upload?.findPreviousUploads())?.at(0);
  const known = previous?.uploadUrl ? await whatServerHas(previous.uploadUrl) : undefined;
  if (previous) forgetUnfinished(previous.urlStorageKey);
  if (!find(key)) return;
  if (known?.job) return void follows(key, known.job);
  const work = works.get(key);
  if (work && previous && known && known.offset > 0) {
    work.previous = previous;
    return happen(key, { what: "offered", sent: known.offset });
  }
  if (previous) await tus.defaultOptions.urlStorage?.removeUpload(previous.urlStorageKey);
  happen(key, { what: "again" });
}

// A HEAD of an upload: how much of it has come, and its job when that is all.
async function whatServerHas(url: string): Promise<{ offset: number; job?: string } | undefined> {
  try {
    const answer = await fetch(url, { method: "HEAD", headers: { "Tus-Resumable": "1.0.0" } });
    if (!answer.ok) return undefined;
    const job = answer.headers.get("Reeltag-Job");
    return { offset: Number(answer.headers.get("Upload-Offset") ?? 0), ...(job ? { job } : {}) };
  } catch {
    return undefined;
  }
}

function prepare(key: string, file: File): void {
  const work = works.get(key);
  if (!work) return;
  let job = "";
  work.upload = new tus.Upload(file, {
    endpoint: ENDPOINT,
    httpStack: new HttpStack({}),
    retryDelays: RETRY_MS,
    metadata: { filename: file.name, filetype: file.type || "video/mp4" },
    removeFingerprintOnSuccess: true,
    onProgress: (sent) => happen(key, { what: "sent", sent, rate: work.speed.add(performance.now(), sent) }),
    onShouldRetry: (error) => {
      const status = error.originalResponse?.getStatus() ?? 0;
      const again = status === 0 || status >= 500 || [408, 409, 423, 425, 429].includes(status);
      if (again) {
        work.speed.clear();
        happen(key, { what: "lost" });
      }
      return again;
    },
    onAfterResponse: (_request, response) => {
      job = response.getHeader("Reeltag-Job") || job;
    },
    onError: (error) => happen(key, { what: "stopped", error: problemOf(error) }),
    onSuccess: () => void finish(key, job),
  });
}

async function finish(key: string, job: string): Promise<void> {
  const url = works.get(key)?.upload?.url;
  const id = job || (url ? (await whatServerHas(url))?.job : undefined);
  if (id) return follows(key, id);
  happen(key, { what: "stopped", error: { title: t.upload.noJob } });
}

function problemOf(error: Error | tus.DetailedError): { title: string; detail?: string } {
  const body = "originalResponse" in error ? error.originalResponse?.getBody() : undefined;
  if (body) {
    try {
      const problem = JSON.parse(body) as { title?: string; detail?: string };
      if (problem.title) return { title: problem.detail ?? problem.title };
    } catch {
      // Not the server's words, as of a proxy.
    }
  }
  return { title: t.upload.lost };
}

function begin(key: string): void {
  const work = works.get(key);
  if (!work?.upload) return;
  work.speed.clear();
  happen(key, { what: "started" });
  if (work.previous) {
    work.upload.resumeFromPreviousUpload(work.previous);
    delete work.previous;
  }
  work.upload.start();
}

export async function addLink(url: string): Promise<void> {
  const key = add({ name: url, size: 0, phase: "queued" }, { link: url });
  try {
    adopt(key, await api.addLink(url));
  } catch (error) {
    const problem = (error as ApiError).problem;
    items.set(items.value.map((item) => (item.key === key ? { ...item, phase: "failed", error: problem } : item)));
  }
}

function follows(key: string, job: string): void {
  adopt(key, { job, state: "queued", created: 0, progress: 0 });
}

function adopt(key: string, job: Job): void {
  const work = works.get(key);
  if (!work) return;
  // The same bytes sent twice can give a job that the list has already.
  items.set(items.value.filter((item) => item.key === key || item.job !== job.job));
  happen(key, { what: "job", job });
  if (isOver(job)) return;
  work.unfollow = follow(
    job.job,
    (now) => happen(key, { what: "job", job: now }),
    () => forget(key),
  );
}

export function pause(key: string): void {
  void works.get(key)?.upload?.abort();
  happen(key, { what: "paused" });
}

// Goes on: after a pause, after an error, or with what an earlier visit had sent.
export function resume(key: string): void {
  happen(key, { what: "again" });
}

// Once more from the beginning, after the job has failed.
export function canRetry(key: string): boolean {
  const work = works.get(key);
  return work?.file !== undefined || work?.link !== undefined;
}

export async function retry(key: string): Promise<void> {
  const { file, link } = works.get(key) ?? {};
  void remove(key).catch(() => undefined);
  if (file) await addFile(file);
  else if (link) await addLink(link);
}

export async function startAgain(key: string): Promise<void> {
  const work = works.get(key);
  if (!work?.file) return;
  if (work.previous?.uploadUrl) await endUpload(work.previous.uploadUrl, work.previous.urlStorageKey);
  delete work.previous;
  prepare(key, work.file);
  happen(key, { what: "again" });
}

// Away with it, wherever it is: bytes on the server, the job, the line in the list.
export async function remove(key: string): Promise<void> {
  const item = find(key);
  const work = works.get(key);
  forget(key);
  if (item?.job) return api.removeJob(item.job);
  if (work?.previous?.uploadUrl) await endUpload(work.previous.uploadUrl, work.previous.urlStorageKey);
  else await work?.upload?.abort(true).catch(() => undefined);
}

function forget(key: string): void {
  const work = works.get(key);
  work?.unfollow?.();
  if (work?.preview) URL.revokeObjectURL(work.preview);
  works.delete(key);
  items.set(items.value.filter((item) => item.key !== key));
  fillUp();
}

async function endUpload(url: string, storageKey: string): Promise<void> {
  await tus.defaultOptions.urlStorage?.removeUpload(storageKey);
  await tus.Upload.terminate(url).catch(() => undefined); // it goes by itself after a day
}

// What this visitor had before the page was loaded.
export async function restore(): Promise<void> {
  for (const job of [...(await api.jobs())].reverse()) {
    if (items.value.some((item) => item.job === job.job)) continue;
    const key = add({ name: job.name || t.upload.unnamed, size: 0, phase: "queued" }, {});
    newcomers.delete(key);
    adopt(key, job);
  }
  await findUnfinished();
}

async function findUnfinished(): Promise<void> {
  const stored = (await tus.defaultOptions.urlStorage?.findAllUploads()) ?? [];
  const found: Unfinished[] = [];
  for (const upload of stored) {
    const known = upload.uploadUrl ? await whatServerHas(upload.uploadUrl) : undefined;
    if (!known || known.job) await tus.defaultOptions.urlStorage?.removeUpload(upload.urlStorageKey);
    else
      found.push({
        key: upload.urlStorageKey,
        name: upload.metadata["filename"] ?? t.upload.unnamed,
        size: upload.size ?? 0,
      });
  }
  unfinished.set(found);
}

function forgetUnfinished(storageKey: string): void {
  unfinished.set(unfinished.value.filter((one) => one.key !== storageKey));
}

export async function discardUnfinished(storageKey: string): Promise<void> {
  const stored = (await tus.defaultOptions.urlStorage?.findAllUploads()) ?? [];
  const url = stored.find((one) => one.urlStorageKey === storageKey)?.uploadUrl;
  forgetUnfinished(storageKey);
  if (url) await endUpload(url, storageKey);
}

addEventListener("online", () => {
  for (const item of items.value) {
    if (item.phase !== "stopped" && item.phase !== "retrying") continue;
    const work = works.get(item.key);
    if (!work?.file) continue;
    void work.upload?.abort();
    happen(item.key, { what: "again" });
  }
});
