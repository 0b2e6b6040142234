import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job } from "../api.ts";
import { type Happening, type Item, Speed, advance, linkIn, VIDEO_ACCEPT, looksLikeVideo, secondsLeft } from "./sending.ts";

const START: Item = { key: "a", name: "clip.mp4", size: 1000, sent: 0, phase: "waiting", progress: 0 };
const after = (...happenings: Happening[]) => happenings.reduce(advance, START);
const job = (state: Job["state"], more: Partial<Job> = {}): Happening => ({
  what: "job",
  job: { job: "j1", state, created: 1, progress: 0, ...more },
});

test("from the first byte to the result", () => {
  let item = after({ what: "started" }, { what: "sent", sent: 400, rate: 100 });
  assert.equal(item.phase, "sending");
  assert.equal(secondsLeft(item), 6);
  item = advance(item, job("queued", { ahead: 2 }));
  assert.deepEqual([item.phase, item.ahead, item.sent, item.rate], ["queued", 2, 1000, undefined]);
  item = advance(item, job("running", { progress: 0.5, stage: "tag", video: "v" }));
  assert.deepEqual([item.phase, item.ahead, item.stage, item.progress], ["running", undefined, "tag", 0.5]);
  item = advance(item, job("done", { video: "v", progress: 0.9 }));
  assert.deepEqual([item.phase, item.video, item.progress, item.stage], ["done", "v", 1, undefined]);
});

test("what comes late does not undo a pause", () => {
  const item = after(
    { what: "started" },
    { what: "sent", sent: 10, rate: 1 },
    { what: "paused" },
    { what: "sent", sent: 90, rate: 9 },
    { what: "lost" },
  );
  assert.deepEqual([item.phase, item.sent, item.rate], ["paused", 10, undefined]);
  assert.equal(advance(item, { what: "again" }).phase, "waiting");
});

test("what comes late does not undo that the job has it, nor that the job has ended", () => {
  const queued = after(job("queued"));
  for (const what of ["started", "paused", "again", "lost"] as const) assert.equal(advance(queued, { what }), queued);
  const done = advance(queued, job("done"));
  assert.equal(advance(done, job("running")), done);
});

test("a lost connection, an error, and another try", () => {
  let item = after({ what: "started" }, { what: "sent", sent: 500, rate: 50 }, { what: "lost" });
  assert.deepEqual([item.phase, item.sent, item.rate], ["retrying", 500, undefined]);
  item = advance(item, { what: "stopped", error: { title: "lost" } });
  assert.deepEqual([item.phase, item.error?.title], ["stopped", "lost"]);
  item = advance(item, { what: "again" });
  assert.deepEqual([item.phase, item.error, item.sent], ["waiting", undefined, 500]);
});

test("what an earlier visit sent is offered, not taken for granted", () => {
  const item = after({ what: "offered", sent: 300 });
  assert.deepEqual([item.phase, item.sent], ["offered", 300]);
});

test("a failed job says why", () => {
  const error = { type: "t", title: "Bad", status: 422, detail: "no video", code: "c", request: "r" };
  assert.deepEqual(after(job("failed", { error })).error, error);
});

test("speed is that of the last seconds, and begins anew after a step back", () => {
  const speed = new Speed(4000);
  assert.equal(speed.add(0, 0), 0);
  assert.equal(speed.add(1000, 500), 500);
  for (let second = 2; second <= 10; second += 1) speed.add(second * 1000, 500 + (second - 1) * 2000);
  assert.equal(speed.add(11_000, 20_500), 2000);
  assert.equal(speed.add(12_000, 100), 0);
});

test("links and videos are told from the rest", () => {
  assert.equal(linkIn("  https://example.org/a.mp4 "), "https://example.org/a.mp4");
  for (const text of ["see https://example.org", "javascript:alert(1)", "ftp://a/b", "", "https://"])
    assert.equal(linkIn(text), undefined);
  assert.ok(looksLikeVideo({ name: "a", type: "video/mp4" }));
  assert.ok(looksLikeVideo({ name: "A.MP4", type: "" }));
  for (const [name, type] of [
    ["a.gif", "image/gif"],
    ["a.wmv", "video/x-ms-wmv"],
    ["a.m2ts", ""],
    ["a.OGV", ""],
    ["a.mkv", "application/x-matroska"],
    ["a.mp4", "application/octet-stream"],
    ["clip", "Application/MP4"],
    ["a.rm", "application/vnd.rn-realmedia"],
  ] as const)
    assert.ok(looksLikeVideo({ name, type }), name);
  assert.ok(!looksLikeVideo({ name: "module.ts", type: "text/plain" }));
  assert.ok(!looksLikeVideo({ name: "a.png", type: "image/png" }));
  assert.match(VIDEO_ACCEPT, /^video\/\*,image\/gif,.*\.mkv,/);
  assert.ok(!looksLikeVideo({ name: "a.mp4", type: "text/plain" }));
  assert.ok(!looksLikeVideo({ name: "a.pdf", type: "" }));
});
