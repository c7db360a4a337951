// SPDX-License-Identifier: Apache-2.0
// What the last minute of round trips says: samples with the time they were taken, forgotten when they are too old.

export interface Sample {
  readonly atMs: number;
  readonly rttMs: number;
}

export interface Summary {
  readonly count: number;
  readonly lastMs: number;
  readonly minMs: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

// Nearest-rank percentile of ascending values: the smallest value that is not below `fraction` of them.
export function percentile(ascending: readonly number[], fraction: number): number {
  const rank = Math.ceil(fraction * ascending.length);
  return ascending[Math.min(Math.max(rank, 1), ascending.length) - 1] ?? Number.NaN;
}

export function summarize(samples: readonly Sample[]): Summary | undefined {
  const last = samples.at(-1);
  if (last === undefined) return undefined;
  const ascending = samples.map((sample) => sample.rttMs).sort((a, b) => a - b);
  return {
    count: ascending.length,
    lastMs: last.rttMs,
    minMs: percentile(ascending, 0),
    medianMs: percentile(ascending, 0.5),
    p99Ms: percentile(ascending, 0.99),
  };
}

// Samples in the order of their time, at most `windowMs` old and at most `capacity` many.
export class SampleWindow {
  private kept: Sample[] = [];
  readonly windowMs: number;
  private readonly capacity: number;

  constructor(windowMs: number, capacity: number) {
    this.windowMs = windowMs;
    this.capacity = capacity;
  }

  add(sample: Sample): void {
    this.kept.push(sample);
    this.forget(sample.atMs);
  }

  forget(nowMs: number): void {
    const oldestMs = nowMs - this.windowMs;
    this.kept = this.kept.filter((sample) => sample.atMs >= oldestMs).slice(-this.capacity);
  }

  get samples(): readonly Sample[] {
    return this.kept;
  }
}

const axisSteps = [1, 1.5, 2, 3, 4, 5, 6, 8];

// The smallest of these steps × 10ⁿ that is not below `value`: where an axis ends.
export function niceCeiling(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(value));
  for (const step of axisSteps) {
    const end = Number((step * decade).toPrecision(2));
    if (value <= end) return end;
  }
  return 10 * decade;
}

// At most three significant digits: a browser's clock knows no more.
export function formatMs(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  if (ms < 10) return ms.toFixed(2);
  if (ms < 100) return ms.toFixed(1);
  return Math.round(ms).toString();
}
