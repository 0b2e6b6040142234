// The server's API as docs/api/openapi.yaml says it. Every failure is an ApiError with the server's problem, or one
// that says that no answer came.
import { addressOf } from "./base.ts";
import { t } from "./strings.ts";

export type Segment = [number, number];
export interface Tag {
  hashtag: string;
  score: number;
  threshold?: number;
  segments: Segment[];
}
export interface Tagged {
  video: string;
  model: string;
  duration: number;
  tags: Tag[];
  unsure?: boolean;
  guesses?: Tag[];
  views?: number;
  partial?: boolean;
}
export interface Video {
  video: string;
  name: string;
  added: number;
  duration: number;
  width: number;
  height: number;
  size_bytes: number;
  caption?: string;
  hashtags?: string[];
  mine?: boolean;
  source?: string;
  tags?: Tag[];
}
export type Verdict = "accept" | "reject" | "add";
export interface Feedback {
  hashtag: string;
  verdict: Verdict;
}
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  code: string;
  request: string;
}
export interface Job {
  job: string;
  state: "queued" | "running" | "done" | "failed";
  created: number;
  progress: number;
  stage?: "fetch" | "check" | "tag" | "keep" | "wait";
  name?: string;
  video?: string;
  ahead?: number;
  error?: Problem;
}
export interface Hit {
  video: string;
  score: number;
  why: ("caption" | "typed" | "predicted")[];
  segments: Segment[];
  named?: Tag[];
  caption?: string;
  name?: string;
}
export interface Session {
  kind: "visitor" | "token" | "none";
  name?: string;
  scopes: ("read" | "write" | "operator")[];
  max_bytes: number;
  model: string;
  version?: string;
}
export interface Change {
  n?: number;
  act?: string;
  alias?: string;
  by?: string;
  at?: string;
  why?: string;
}
export interface Model {
  version: string;
  serving: boolean;
  created?: number;
  recipe?: string;
  hashtags: number;
  vocabulary?: string[];
  aliases: string[];
  figures?: Record<string, unknown>;
  card?: string;
  history?: Change[];
}
export type Of = "all" | "mine" | "library";

export class ApiError extends Error {
  readonly problem: Pick<Problem, "title" | "detail" | "status">;

  constructor(problem: Pick<Problem, "title" | "detail" | "status">) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
  }
}

type Listener = () => void;
let whenUnknown: Listener = () => undefined;

// Called at each 401: whoever asks is not (or no longer) known.
export function onUnknown(listener: Listener): void {
  whenUnknown = listener;
}

async function problemOf(answer: Response): Promise<ApiError> {
  try {
    const problem = (await answer.json()) as Problem;
    return new ApiError({
      title: problem.title,
      status: answer.status,
      ...(problem.detail ? { detail: problem.detail } : {}),
    });
  } catch {
    return new ApiError({ title: t.problem.status(answer.status), status: answer.status });
  }
}

async function send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const options: RequestInit = { method, headers: { Accept: "application/json" } };
  if (body !== undefined) {
    options.headers = { Accept: "application/json", "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  if (signal) options.signal = signal;
  let answer: Response;
  try {
    answer = await fetch(addressOf(path), options);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError({ title: t.problem.unreachable, detail: t.problem.unreachableAdvice, status: 0 });
  }
  if (answer.ok) return answer;
  if (answer.status === 401 && path !== "/v1/session") whenUnknown();
  throw await problemOf(answer);
}

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await send("GET", path, undefined, signal)).json()) as T;
}

function query(values: Record<string, string | number | undefined>): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value !== "") out.set(name, String(value));
  const text = out.toString();
  return text ? `?${text}` : "";
}

const video = (id: string) => `/v1/videos/${encodeURIComponent(id)}`;

export const api = {
  session: () => get<Session>("/v1/session"),
  logIn: async (token: string) => (await (await send("POST", "/v1/session", { token })).json()) as Session,
  logOut: async () => void (await send("DELETE", "/v1/session")),

  jobs: async () => (await get<{ jobs: Job[] }>("/v1/jobs?limit=50")).jobs,
  job: (id: string) => get<Job>(`/v1/jobs/${id}`),
  removeJob: async (id: string) => void (await send("DELETE", `/v1/jobs/${id}`)),
  jobEvents: (id: string) => addressOf(`/v1/jobs/${id}/events`),
  addLink: async (url: string) => (await (await send("POST", "/v1/videos", { url })).json()) as Job,

  videos: (of: Of, hashtag: string, cursor?: string, signal?: AbortSignal) =>
    get<{ videos: Video[]; next?: string }>(`/v1/videos${query({ of, hashtag, cursor, limit: 24 })}`, signal),
  video: (id: string, signal?: AbortSignal) => get<Video>(video(id), signal),
  removeVideo: async (id: string) => void (await send("DELETE", video(id))),
  fileOf: (id: string) => addressOf(`${video(id)}/file`),
  thumbnailOf: (id: string, part?: number) => addressOf(`${video(id)}/thumbnail${query({ part })}`),
  // The media type of the bytes, as the server tells it.
  typeOf: async (id: string) => (await send("HEAD", `${video(id)}/file`)).headers.get("Content-Type") ?? "",
  tags: (id: string, signal?: AbortSignal) => get<Tagged>(`${video(id)}/tags?threshold=0&top=200`, signal),
  feedback: async (id: string, signal?: AbortSignal) =>
    (await get<{ feedback: Feedback[] }>(`${video(id)}/feedback`, signal)).feedback,
  giveFeedback: async (id: string, feedback: Feedback) => void (await send("POST", `${video(id)}/feedback`, feedback)),
  takeFeedbackBack: async (id: string, hashtag: string) =>
    void (await send("DELETE", `${video(id)}/feedback${query({ hashtag })}`)),

  search: async (q: string, signal?: AbortSignal) =>
    (await get<{ results: Hit[] }>(`/v1/search${query({ q, limit: 50 })}`, signal)).results,
  models: async (signal?: AbortSignal) => (await get<{ models: Model[] }>("/v1/models", signal)).models,
  model: (version: string, signal?: AbortSignal) =>
    get<Model>(`/v1/models/${encodeURIComponent(version).replaceAll("%40", "@")}`, signal),
};
