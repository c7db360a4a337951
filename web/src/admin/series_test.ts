// SPDX-License-Identifier: Apache-2.0
// Rates of counters, across a restart too; a window that forgets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rate, Series, highest } from "./series.ts";

test("a rate is the growth per second", () => {
  const rate = new Rate();
  assert.equal(rate.of(0, 100), undefined);
  assert.equal(rate.of(2_000, 300), 100);
  assert.equal(rate.of(2_500, 300), 0);
});

test("a counter that begins anew has no rate until it grows again", () => {
  const rate = new Rate();
  rate.of(0, 1_000);
  assert.equal(rate.of(1_000, 10), undefined);
  assert.equal(rate.of(2_000, 30), 20);
});

test("the same moment twice is no rate", () => {
  const rate = new Rate();
  rate.of(5, 1);
  assert.equal(rate.of(5, 9), undefined);
});

test("a series forgets what is too old and what is no number", () => {
  const series = new Series(1_000);
  series.add(0, 1);
  series.add(1_000, undefined);
  assert.equal(series.points.length, 1);
  series.add(1_001, 3);
  assert.deepEqual(series.points, [{ atMs: 1_001, value: 3 }]);
  assert.equal(series.last, 3);
});

test("the highest value is at least what is asked for", () => {
  const series = new Series(1_000);
  assert.equal(highest([series], 4), 4);
  series.add(0, 9);
  assert.equal(highest([series, new Series(1)], 4), 9);
});
