import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { normalizeHashtag, sameHashtag } from "./hashtag.ts";

interface Vector {
  typed: string;
  hashtag: string;
}

const file = new URL("../../../foundation/hashtag/vectors.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")).normalize as Vector[];

test("hashtags are normalized as the server does it", () => {
  assert.ok(vectors.length > 20);
  for (const { typed, hashtag } of vectors) {
    assert.equal(normalizeHashtag(typed), hashtag, typed);
    assert.equal(normalizeHashtag(hashtag), hashtag, typed);
  }
});

test("two spellings are the same hashtag", () => {
  assert.ok(sameHashtag("F\uff4fod", "#food"));
  assert.ok(sameHashtag("Stra\u00dfe", "STRASSE"));
  assert.ok(!sameHashtag("cat", "cats"));
});
