import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, clock, date, moment, partAt, percent, remaining, span } from "./format.ts";

test("times are read as on a player", () => {
  assert.equal(clock(0), "0:00");
  assert.equal(clock(65.9), "1:05");
  assert.equal(clock(3661), "1:01:01");
  assert.equal(clock(-3), "0:00");
  assert.equal(moment(1.24), "0:01.2");
  assert.equal(moment(59.96), "1:00.0");
  assert.equal(moment(72.5), "1:12.5");
  assert.equal(span([0, 2.04]), "0:00.0\u20130:02.0");
});

test("sizes go to the next unit before they have four digits", () => {
  assert.equal(bytes(0), "0 B");
  assert.equal(bytes(999), "999 B");
  assert.equal(bytes(1000), "1.0 kB");
  assert.equal(bytes(99_960), "100 kB");
  assert.equal(bytes(999_600), "1.0 MB");
  assert.equal(bytes(1_073_741_824), "1.1 GB");
});

test("no score is called certain or nothing when it is not", () => {
  assert.equal(percent(0), "0\u00a0%");
  assert.equal(percent(0.001), "<1\u00a0%");
  assert.equal(percent(0.874), "87\u00a0%");
  assert.equal(percent(0.9999), "99\u00a0%");
  assert.equal(percent(1), "100\u00a0%");
});

test("the time that is left is coarse", () => {
  assert.equal(remaining(Number.POSITIVE_INFINITY), "");
  assert.equal(remaining(0.2), "1 s");
  assert.equal(remaining(9.1), "10 s");
  assert.equal(remaining(41), "45 s");
  assert.equal(remaining(61), "2 min");
  assert.equal(remaining(7201), "3 h");
});

test("dates are UTC, to the minute", () => {
  assert.equal(date(1_764_151_200), "2025-11-26 10:00");
});

test("a moment lies in one of the equal parts of its video", () => {
  assert.deepEqual([0, 1.2, 1.3, 9.99, 10, 99].map((at) => partAt(at, 10, 8)), [1, 1, 2, 8, 8, 8]);
  assert.equal(partAt(3, 0, 8), 1);
  assert.equal(partAt(-1, 10, 8), 1);
});
