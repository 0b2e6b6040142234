import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tag } from "../api.ts";
import {
  MODELS_CHOICE,
  choose,
  cleanHashtag,
  compare,
  copyText,
  limitAt,
  place,
  shownAt,
  withVerdict,
} from "./tags.ts";

const tag = (hashtag: string, score: number, threshold?: number): Tag =>
  threshold === undefined ? { hashtag, score, segments: [] } : { hashtag, score, threshold, segments: [] };
const names = (tags: Tag[]) => tags.map((one) => one.hashtag);

test("the middle of the slider is each hashtag's own threshold", () => {
  const tags = [tag("low", 0.2, 0.15), tag("high", 0.6, 0.7), tag("plain", 0.5)];
  assert.deepEqual(names(shownAt(tags, MODELS_CHOICE)), ["plain", "low"]);
  assert.deepEqual(names(shownAt(tags, 0)), ["high", "plain", "low"]);
  assert.deepEqual(names(shownAt(tags, 1)), []);
});

test("moving the slider to the right never brings a hashtag back", () => {
  for (const threshold of [0, 0.03, 0.5, 0.97, 1]) {
    let before = -1;
    for (let position = 0; position <= 1.0001; position += 0.01) {
      const limit = limitAt(position, threshold);
      assert.ok(limit >= before && limit <= 1 + 1e-9);
      before = limit;
    }
    assert.equal(limitAt(MODELS_CHOICE, threshold), threshold);
  }
});

test("feedback outweighs the slider, and the newest word counts", () => {
  const tags = [tag("sure", 0.9, 0.5), tag("wrong", 0.8, 0.5), tag("doubtful", 0.1, 0.5)];
  let feedback = withVerdict([], "wrong", "reject");
  feedback = withVerdict(feedback, "Doubtful", "reject");
  feedback = withVerdict(feedback, "doubtful", "accept");
  feedback = withVerdict(feedback, "mine", "add");
  const chosen = choose(tags, feedback, MODELS_CHOICE);
  assert.deepEqual(names(chosen.shown), ["sure", "doubtful"]);
  assert.deepEqual(chosen.rejected, ["wrong"]);
  assert.deepEqual(chosen.added, ["mine"]);
  assert.equal(copyText(chosen), "#sure #doubtful #mine");
  assert.deepEqual(choose(tags, withVerdict(feedback, "WRONG", undefined), MODELS_CHOICE).rejected, []);
});

test("a hashtag is one word without its signs", () => {
  assert.equal(cleanHashtag("  ##Street Food\n"), "StreetFood");
  assert.equal(cleanHashtag("caf\u0065\u0301"), "caf\u00e9");
  assert.equal(cleanHashtag(" # "), "");
  assert.equal([...cleanHashtag("\u{1F3BE}".repeat(300))].length, 200);
});

test("moments stay on the track, in order, wide enough to hit", () => {
  const placed = place(
    [
      [9.9, 12],
      [2, 4],
      [-1, 0.001],
      [5, 5],
    ],
    10,
  );
  assert.deepEqual(
    placed.map((one) => one.start),
    [0, 2, 9.9],
  );
  for (const one of placed) assert.ok(one.left >= 0 && one.left + one.width <= 100 && one.width >= 1.5);
  assert.deepEqual(placed[1], { start: 2, end: 4, left: 20, width: 20 });
  assert.deepEqual(place([[0, 1]], 0), []);
});

test("typed and seen are compared whatever their case", () => {
  assert.deepEqual(compare(["Food", "me"], ["food", "car"]), { both: ["Food"], typed: ["me"], seen: ["car"] });
});
