// SPDX-License-Identifier: Apache-2.0
// Numbers for people: three significant digits, the two largest units, no unit that rounds to a thousand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes, formatCount, formatDuration, short } from "./format.ts";

test("bytes take the unit in which they are below a thousand", () => {
  assert.deepEqual([0, 999, 1_000, 1_234_567, 999_999].map(formatBytes), ["0 B", "999 B", "1 kB", "1.23 MB", "1 MB"]);
});

test("counts are grouped by thousands", () => {
  assert.deepEqual([0, 999, 1_000, 1_234_567].map(formatCount), ["0", "999", "1\u202f000", "1\u202f234\u202f567"]);
});

test("durations tell their two largest units", () => {
  assert.deepEqual([0, 59, 60, 3_661, 90_000, 86_400].map(formatDuration), ["0 s", "59 s", "1 min", "1 h 1 min", "1 d 1 h", "1 d"]);
});

test("short numbers have three digits", () => {
  assert.deepEqual([0, 0.01234, 12.345, 1234.5, Number.NaN].map(short), ["0", "0.0123", "12.3", "1235", "–"]);
});
