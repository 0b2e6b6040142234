import assert from "node:assert/strict";
import { test } from "node:test";
import { figures } from "./figures.ts";

test("figures come in the order that people ask for them", () => {
  const list = figures({
    videos: 186,
    top1: 0.543,
    map: 0.465,
    calibration_error: 0.02468,
    split: "test",
    time: {},
    perr: null,
  });
  assert.deepEqual(
    list.map((one) => one.name),
    ["map", "top1", "calibration_error", "videos", "split"],
  );
  assert.deepEqual(list[0], { name: "map", value: "47\u00a0%", share: 0.465 });
  assert.equal(list[2]?.value, "0.025");
  assert.deepEqual(figures(undefined), []);
});
