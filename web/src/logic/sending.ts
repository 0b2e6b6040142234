// The life of one upload as a function of what happens to it, and its speed. Pure: upload.ts does the sending.
import fileTypes from "../../../foundation/media/file_types.json" with { type: "json" };
import type { Job, Problem } from "../api.ts";

export type Phase =
  | "offered" // part of this file came earlier: go on with it, or start again?
  | "waiting" // for its turn
  | "sending"
  | "paused"
  | "retrying" // the connection is lost; tried again by itself
  | "stopped" // sending failed; tried again when told so
  | "queued"
  | "running"
  | "done"
  | "failed"; // the job did

export interface Item {
  key: string;
  name: string;
  size: number; // 0: not known, as of a link
  sent: number;
  phase: Phase;
  job?: string;
  video?: string;
  stage?: Job["stage"];
  progress: number; // of the job
  ahead?: number;
  error?: Pick<Problem, "title" | "detail">;
  rate?: number; // bytes a second
  started?: number; // milliseconds
}

export type Happening =
  | { what: "started" | "paused" | "again" | "lost" }
  | { what: "offered"; sent: number }
  | { what: "sent"; sent: number; rate: number }
  | { what: "stopped"; error: NonNullable<Item["error"]> }
  | { what: "job"; job: Job };

// What pauses, fails or goes on late must not undo that the job has it.
const IN_HAND: readonly Phase[] = ["queued", "running", "done", "failed"];

export function advance(item: Item, happening: Happening): Item {
  if (happening.what === "job") return withJob(item, happening.job);
  if (IN_HAND.includes(item.phase)) return item;
  switch (happening.what) {
    case "offered":
      return { ...item, phase: "offered", sent: happening.sent };
    case "started":
      return { ...without(item, "error"), phase: "sending" };
    case "again":
      return { ...without(item, "error", "rate"), phase: "waiting" };
    case "paused":
      return { ...without(item, "rate"), phase: "paused" };
    case "lost":
      return item.phase === "paused" ? item : { ...without(item, "rate"), phase: "retrying" };
    case "sent":
      if (item.phase === "paused") return item;
      return { ...item, phase: "sending", sent: happening.sent, rate: happening.rate };
    case "stopped":
      return { ...without(item, "rate"), phase: "stopped", error: happening.error };
  }
}

function withJob(item: Item, job: Job): Item {
  if (item.phase === "done" || item.phase === "failed") return item;
  const next: Item = { ...without(item, "rate", "ahead", "stage", "error"), job: job.job, phase: job.state };
  next.sent = item.size;
  next.progress = job.state === "done" ? 1 : job.progress;
  if (job.name) next.name = job.name;
  if (job.video) next.video = job.video;
  if (job.stage) next.stage = job.stage;
  if (job.ahead !== undefined) next.ahead = job.ahead;
  if (job.error) next.error = job.error;
  return next;
}

function without<K extends keyof Item>(item: Item, ...keys: K[]): Omit<Item, K> & Item {
  const copy = { ...item };
  for (const key of keys) delete copy[key];
  return copy;
}

export function isEnded(item: Item): boolean {
  return item.phase === "done" || item.phase === "failed";
}

export function secondsLeft(item: Item): number {
  return item.rate ? (item.size - item.sent) / item.rate : Number.POSITIVE_INFINITY;
}

// Bytes a second over the last few seconds: steady enough to read, quick enough to believe.
export class Speed {
  #window: number;
  #points: { at: number; sent: number }[] = [];

  constructor(milliseconds = 4000) {
    this.#window = milliseconds;
  }

  add(at: number, sent: number): number {
    const last = this.#points.at(-1);
    if (last && sent < last.sent) this.#points = []; // it began anew, from what the server has
    this.#points.push({ at, sent });
    while (this.#points.length > 2 && at - (this.#points[0]?.at ?? at) > this.#window) this.#points.shift();
    const first = this.#points[0];
    if (!first || at <= first.at) return 0;
    return ((sent - first.sent) * 1000) / (at - first.at);
  }

  clear(): void {
    this.#points = [];
  }
}

// Types that say nothing of the content, or that some systems give to videos.
const GENERIC_TYPES = ["application/octet-stream", "application/mp4", "application/ogg", "application/mxf"];

// For the file dialog: all that the server reads.
export const VIDEO_ACCEPT = ["video/*", "image/gif", "image/apng", "application/mp4", ...fileTypes.video].join(",");

// Whether to send a file: the server looks at its content, so only what cannot be a video is left out here.
export function looksLikeVideo(file: { name: string; type: string }): boolean {
  const type = file.type.toLowerCase();
  if (type.startsWith("video/") || GENERIC_TYPES.includes(type)) return true;
  if (/^(text|audio)\//.test(type)) return false;
  const name = file.name.toLowerCase();
  return fileTypes.video.some((ending) => name.endsWith(ending));
}

// The link in a pasted text, if that is all it is.
export function linkIn(text: string): string | undefined {
  const word = text.trim();
  if (!/^https?:\/\/\S+$/i.test(word)) return undefined;
  try {
    return new URL(word).href;
  } catch {
    return undefined;
  }
}
