// SPDX-License-Identifier: Apache-2.0
// What the plots show: points over the last minutes, and rates from counters that only grow (and begin anew with the
// server).

export interface Point {
  readonly atMs: number;
  readonly value: number;
}

export class Series {
  private kept: Point[] = [];
  private readonly windowMs: number;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }

  add(atMs: number, value: number | undefined): void {
    if (value !== undefined && Number.isFinite(value)) this.kept.push({ atMs, value });
    this.kept = this.kept.filter((point) => point.atMs >= atMs - this.windowMs);
  }

  get points(): readonly Point[] {
    return this.kept;
  }
  get last(): number | undefined {
    return this.kept.at(-1)?.value;
  }
}

export class Rate {
  private before: Point | undefined;

  // Per second since the last time; undefined at first, and when the counter began anew.
  of(atMs: number, counter: number): number | undefined {
    const before = this.before;
    this.before = { atMs, value: counter };
    if (before === undefined || counter < before.value || atMs <= before.atMs) return undefined;
    return ((counter - before.value) * 1_000) / (atMs - before.atMs);
  }
}

// Where an axis ends that has to show all these.
export function highest(series: readonly Series[], least: number): number {
  return Math.max(least, ...series.flatMap(({ points }) => points.map(({ value }) => value)));
}
