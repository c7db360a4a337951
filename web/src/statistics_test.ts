// SPDX-License-Identifier: Apache-2.0
// Percentiles by nearest rank, the window's two bounds, axis ends and number formats.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SampleWindow, formatMs, niceCeiling, percentile, summarize } from "./statistics.ts";

const oneToHundred = Array.from({ length: 100 }, (_, index) => index + 1);

test("percentiles are values that were measured", () => {
  assert.equal(percentile(oneToHundred, 0), 1);
  assert.equal(percentile(oneToHundred, 0.5), 50);
  assert.equal(percentile(oneToHundred, 0.99), 99);
  assert.equal(percentile(oneToHundred, 1), 100);
  assert.equal(percentile([7], 0.99), 7);
  assert.ok(Number.isNaN(percentile([], 0.5)));
});

test("a summary of nothing is nothing", () => {
  assert.equal(summarize([]), undefined);
});

test("a summary does not depend on the order of the values, except the last", () => {
  const shuffled = [5, 1, 4, 2, 3].map((rttMs, index) => ({ atMs: index, rttMs }));
  assert.deepEqual(summarize(shuffled), { count: 5, lastMs: 3, minMs: 1, medianMs: 3, p99Ms: 5 });
});

test("the window forgets what is too old, and keeps what is exactly as old as allowed", () => {
  const window = new SampleWindow(1_000, 10);
  for (const atMs of [0, 1, 1_000]) window.add({ atMs, rttMs: 1 });
  assert.equal(window.samples.length, 3);
  window.forget(1_001);
  assert.deepEqual(window.samples.map((sample) => sample.atMs), [1, 1_000]);
});

test("the window never holds more than its capacity", () => {
  const window = new SampleWindow(1_000_000, 3);
  for (const atMs of [1, 2, 3, 4, 5]) window.add({ atMs, rttMs: 1 });
  assert.deepEqual(window.samples.map((sample) => sample.atMs), [3, 4, 5]);
});

test("an axis ends at a round number", () => {
  const ends = [0.3, 0.5, 0.51, 1, 1.01, 4.9, 5.1, 99, 101].map(niceCeiling);
  assert.deepEqual(ends, [0.3, 0.5, 0.6, 1, 1.5, 5, 6, 100, 150]);
});

test("milliseconds keep three significant digits", () => {
  assert.deepEqual([0.1234, 1.239, 12.34, 123.4, Number.NaN].map(formatMs), ["0.12", "1.24", "12.3", "123", "–"]);
});
