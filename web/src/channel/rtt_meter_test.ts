// SPDX-License-Identifier: Apache-2.0
// Probes and echoes: matching, foreign text, doubled echoes, silence.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RttMeter } from "./rtt_meter.ts";

test("an echo completes its own probe, in any order", () => {
  const meter = new RttMeter();
  const first = meter.probe(100);
  const second = meter.probe(200);
  assert.deepEqual(meter.echo(second, 205), { atMs: 205, rttMs: 5 });
  assert.deepEqual(meter.echo(first, 300), { atMs: 300, rttMs: 200 });
});

test("what is no echo of a probe under way is no sample", () => {
  const meter = new RttMeter();
  const probe = meter.probe(0);
  for (const text of ["", "rtt", "rtt x", "rtt 2", "rtt 1e0", ` ${probe}`, "{}"]) assert.equal(meter.echo(text, 1), undefined, text);
  assert.ok(meter.echo(probe, 1));
  assert.equal(meter.echo(probe, 2), undefined);
});

test("ten seconds without an echo is silence; a new connection starts afresh", () => {
  const meter = new RttMeter();
  assert.equal(meter.silent(1_000_000), false);
  meter.probe(0);
  assert.equal(meter.silent(10_000), false);
  assert.equal(meter.silent(10_001), true);
  meter.forget();
  assert.equal(meter.silent(10_001), false);
});
