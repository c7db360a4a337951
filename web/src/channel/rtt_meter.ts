// SPDX-License-Identifier: Apache-2.0
// Measures the live round-trip time over an echoing connection: a numbered text leaves five times a second, and the
// time until its echo is one sample. A connection that swallows everything for ten seconds is dead.
import type { Sample } from "../statistics.ts";

export const probeEveryMs = 200;
const silenceLimitMs = 10_000;
const probeShape = /^rtt (\d{1,15})$/;

export class RttMeter {
  private sequence = 0;
  private readonly leftMs = new Map<number, number>();

  // The next probe's text; remember that it left now.
  probe(nowMs: number): string {
    this.sequence += 1;
    this.leftMs.set(this.sequence, nowMs);
    return `rtt ${this.sequence}`;
  }

  // The sample that an echo completes; undefined when it is not the echo of a probe that is under way.
  echo(text: string, nowMs: number): Sample | undefined {
    const sequence = Number(probeShape.exec(text)?.[1] ?? Number.NaN);
    const leftMs = this.leftMs.get(sequence);
    if (leftMs === undefined) return undefined;
    this.leftMs.delete(sequence);
    return { atMs: nowMs, rttMs: nowMs - leftMs };
  }

  // True when the oldest probe under way has waited too long. Probes leave in order, so it is the map's first.
  silent(nowMs: number): boolean {
    const [oldestMs] = this.leftMs.values();
    return oldestMs !== undefined && nowMs - oldestMs > silenceLimitMs;
  }

  // A new connection owes nothing for the probes of the last one.
  forget(): void {
    this.leftMs.clear();
  }
}
