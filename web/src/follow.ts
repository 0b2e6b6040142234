// Follows jobs until they end: by server-sent events where there is a connection to spare, else by asking now and then.
import { ApiError, api, type Job } from "./api.ts";

type Listener = (job: Job) => void;

// A browser opens six connections to a server; events hold one each, and uploads need the others.
const MOST_STREAMS = 2;
const PAUSE_MS = 1500;
let streams = 0;

export function isOver(job: Job): boolean {
  return job.state !== "queued" && job.state !== "running";
}

// The returned function ends it.
export function follow(id: string, onChange: Listener, onGone: () => void): () => void {
  let stop = () => undefined as void;
  let over = false;
  const told = (job: Job) => {
    if (over) return;
    onChange(job);
    if (isOver(job)) end();
  };
  const end = () => {
    over = true;
    stop();
  };
  const ask = () => {
    if (!over) stop = poll(id, told, onGone);
  };
  if (streams < MOST_STREAMS) stop = listen(id, told, ask);
  else ask();
  return end;
}

function listen(id: string, told: Listener, otherwise: () => void): () => void {
  streams += 1;
  const source = new EventSource(api.jobEvents(id));
  let open = true;
  const close = () => {
    if (!open) return;
    open = false;
    streams -= 1;
    source.close();
  };
  source.addEventListener("job", (event) => told(JSON.parse((event as MessageEvent<string>).data) as Job));
  // The browser itself connects again when a stream breaks; "closed" is when it gave up, as at a 401 or behind a proxy.
  source.addEventListener("error", () => {
    if (!open || source.readyState !== EventSource.CLOSED) return;
    close();
    otherwise();
  });
  return close;
}

function poll(id: string, told: Listener, onGone: () => void): () => void {
  let timer = 0;
  let on = true;
  const turn = async () => {
    try {
      const job = await api.job(id);
      if (on) told(job);
    } catch (error) {
      if (on && error instanceof ApiError && error.problem.status === 404) {
        on = false;
        onGone();
      }
    }
    if (on) timer = window.setTimeout(turn, PAUSE_MS);
  };
  void turn();
  return () => {
    on = false;
    clearTimeout(timer);
  };
}
