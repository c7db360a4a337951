// SPDX-License-Identifier: Apache-2.0
// Draws the last minute of round trips as SVG: a line over a soft area, the median as a dashed rule, and a tick at the
// top for each sample beyond the axis, so that one slow packet does not flatten all the others.
import { byId, makeSvg } from "./dom.ts";
import { formatMs, niceCeiling, summarize } from "./statistics.ts";
import type { Sample, SampleWindow, Summary } from "./statistics.ts";

const height = 148;
const inset = { top: 12, right: 4, bottom: 20, left: 36 };
const gapMs = 1_500; // samples further apart than this are not joined by a line, unless they are fewer by intention
const headroom = 1.4; // the axis ends above the p99 by this factor
const leastTopMs = 0.2;
const describeEveryMs = 5_000; // a screen reader does not want to hear about every sample

type Scale = (value: number) => number;
interface Frame {
  readonly width: number;
  readonly topMs: number;
  readonly x: Scale;
  readonly y: Scale;
}

export class RttGraph {
  private readonly host = byId("rtt-graph");
  private readonly svg = makeSvg("svg", { "aria-hidden": "true", height });
  private readonly window: SampleWindow;
  private readonly gapMs: number;
  private describedMs = Number.NEGATIVE_INFINITY;

  constructor(window: SampleWindow, gap = gapMs) {
    this.window = window;
    this.gapMs = gap;
    this.host.append(this.svg);
  }

  draw(nowMs: number): void {
    this.window.forget(nowMs);
    const samples = this.window.samples;
    const summary = summarize(samples);
    this.host.dataset["samples"] = String(samples.length);
    fillNumbers(summary);
    if (summary !== undefined) this.describe(summary, nowMs);
    const frame = this.frame(nowMs, summary);
    this.svg.setAttribute("viewBox", `0 0 ${frame.width} ${height}`);
    this.svg.replaceChildren(...grid(frame), ...curve(frame, samples, this.gapMs), ...medianRule(frame, samples, summary), ...outliers(frame, samples));
  }

  private frame(nowMs: number, summary: Summary | undefined): Frame {
    const width = Math.max(this.host.clientWidth, 160);
    const topMs = niceCeiling(Math.max((summary?.p99Ms ?? 1) * headroom, leastTopMs));
    const right = width - inset.right;
    const bottom = height - inset.bottom;
    return {
      width,
      topMs,
      x: (atMs) => right - ((nowMs - atMs) / this.window.windowMs) * (right - inset.left),
      y: (rttMs) => bottom - (Math.min(rttMs, topMs) / topMs) * (bottom - inset.top),
    };
  }

  private describe(summary: Summary, nowMs: number): void {
    if (nowMs - this.describedMs < describeEveryMs) return;
    this.describedMs = nowMs;
    const { minMs, medianMs, p99Ms, count } = summary;
    const numbers = `minimum ${formatMs(minMs)}, median ${formatMs(medianMs)}, 99th percentile ${formatMs(p99Ms)} milliseconds`;
    this.host.setAttribute("aria-label", `Round-trip time of the last minute, ${count} samples: ${numbers}.`);
  }
}

function fillNumbers(summary: Summary | undefined): void {
  byId("rtt-last").textContent = formatMs(summary?.lastMs ?? Number.NaN);
  byId("rtt-min").textContent = formatMs(summary?.minMs ?? Number.NaN);
  byId("rtt-median").textContent = formatMs(summary?.medianMs ?? Number.NaN);
  byId("rtt-p99").textContent = formatMs(summary?.p99Ms ?? Number.NaN);
}

function grid(frame: Frame): SVGElement[] {
  const right = frame.width - inset.right;
  const marks = [0, frame.topMs / 2, frame.topMs].flatMap((ms) => [
    makeSvg("line", { class: "rule", x1: inset.left, x2: right, y1: half(frame.y(ms)), y2: half(frame.y(ms)) }),
    label(inset.left - 8, frame.y(ms) + 4, "end", axisText(ms)),
  ]);
  return [
    ...marks,
    label(inset.left - 8, height - 5, "end", "ms"),
    label(inset.left, height - 5, "start", "60 s ago"),
    label(right, height - 5, "end", "now"),
  ];
}

function curve(frame: Frame, samples: readonly Sample[], gap: number): SVGElement[] {
  const floor = frame.y(0);
  let line = "";
  let area = "";
  for (const run of runsOf(samples, gap)) {
    const points = run.map((sample) => `${frame.x(sample.atMs).toFixed(1)} ${frame.y(sample.rttMs).toFixed(1)}`);
    line += `M${points.join("L")}`;
    area += `M${frame.x(run[0]?.atMs ?? 0).toFixed(1)} ${floor}L${points.join("L")}L${frame.x(run.at(-1)?.atMs ?? 0).toFixed(1)} ${floor}Z`;
  }
  return [makeSvg("path", { class: "area", d: area }), makeSvg("path", { class: "line", d: line })];
}

function medianRule(frame: Frame, samples: readonly Sample[], summary: Summary | undefined): SVGElement[] {
  const first = samples[0];
  if (summary === undefined || first === undefined) return [];
  const y = half(frame.y(summary.medianMs));
  return [makeSvg("line", { class: "median", x1: frame.x(first.atMs).toFixed(1), x2: frame.width - inset.right, y1: y, y2: y })];
}

function outliers(frame: Frame, samples: readonly Sample[]): SVGElement[] {
  return samples
    .filter((sample) => sample.rttMs > frame.topMs)
    .map((sample) => makeSvg("circle", { class: "outlier", cx: frame.x(sample.atMs).toFixed(1), cy: inset.top - 5, r: 2 }));
}

function runsOf(samples: readonly Sample[], gap: number): Sample[][] {
  const runs: Sample[][] = [];
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const sample of samples) {
    if (sample.atMs - lastMs > gap) runs.push([]);
    runs.at(-1)?.push(sample);
    lastMs = sample.atMs;
  }
  return runs;
}

function label(x: number, y: number, anchor: string, text: string): SVGElement {
  const element = makeSvg("text", { x, y, "text-anchor": anchor });
  element.textContent = text;
  return element;
}

const axisText = (ms: number): string => String(Number(ms.toPrecision(3)));
const half = (value: number): number => Math.round(value) + 0.5; // a rule of one pixel is sharp between two pixels
