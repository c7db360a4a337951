// SPDX-License-Identifier: Apache-2.0
// Reconnecting: bounds of every window, the codes that are requests, the codes that end the attempts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { describeClose, planReconnect } from "./backoff.ts";
import type { CloseFacts } from "./backoff.ts";

const almostOne = 1 - 2 ** -53;
const closedWith = (code: number): CloseFacts => ({ code, reason: "", clean: code !== 1006 });

function delayMs(code: number, failures: number, random: number): number {
  const plan = planReconnect(closedWith(code), failures, random);
  assert.equal(plan.kind, "retry");
  return plan.kind === "retry" ? plan.delayMs : Number.NaN;
}

test("a lost connection is tried again soon, with full jitter", () => {
  assert.equal(delayMs(1006, 0, 0), 250);
  assert.equal(delayMs(1006, 0, 0.5), 750);
  assert.equal(delayMs(1006, 0, almostOne), 1_250);
});

test("the window doubles with each failure and stops at its widest", () => {
  const widest = [0, 1, 2, 3, 4, 5, 6, 1_000].map((failures) => delayMs(1006, failures, almostOne));
  assert.deepEqual(widest, [1_250, 2_250, 4_250, 8_250, 16_250, 30_250, 30_250, 30_250]);
});

test("the lower end never moves: jitter is full, not partial", () => {
  for (const failures of [0, 3, 30]) assert.equal(delayMs(1006, failures, 0), 250);
});

test("1012 waits at least a second, 1013 at least five", () => {
  assert.equal(delayMs(1012, 0, 0), 1_000);
  assert.equal(delayMs(1012, 0, almostOne), 5_000);
  assert.equal(delayMs(1013, 0, 0), 5_000);
  assert.equal(delayMs(1013, 0, almostOne), 15_000);
});

test("codes that would only repeat themselves end the attempts", () => {
  for (const code of [1002, 1003, 1007, 1008, 1009, 1010]) {
    assert.deepEqual(planReconnect(closedWith(code), 0, 0.5), { kind: "stop" });
  }
});

test("every other code is tried again", () => {
  for (const code of [1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014, 3000, 4001]) {
    assert.equal(planReconnect(closedWith(code), 0, 0.5).kind, "retry", `${code}`);
  }
});

test("a close is told in words", () => {
  assert.equal(describeClose(closedWith(1012)), "The server is restarting");
  assert.equal(describeClose(closedWith(1001)), "The server is going away");
  assert.equal(describeClose(closedWith(4321)), "The connection was closed");
});
