// SPDX-License-Identifier: Apache-2.0
// One plot of up to two series over the last minutes, as SVG: the first with a soft area, the second as a line alone.
import { byId, makeSvg } from "../dom.ts";
import { niceCeiling } from "../statistics.ts";
import { highest } from "./series.ts";
import type { Point, Series } from "./series.ts";

const height = 132;
const inset = { top: 10, right: 4, bottom: 18, left: 60 };

export interface PlotOptions {
  readonly id: string;
  readonly title: string;
  readonly series: readonly Series[];
  readonly windowMs: number;
  readonly least: number; // where the axis ends at least
  readonly text: (value: number) => string;
}

export class Plot {
  private readonly options: PlotOptions;
  private readonly host: HTMLElement;
  private readonly svg = makeSvg("svg", { "aria-hidden": "true", height });
  private drawnMs: number | undefined;

  constructor(options: PlotOptions) {
    this.options = options;
    this.host = byId(`plot-${options.id}`);
    this.host.append(this.svg);
    new ResizeObserver(() => this.drawnMs !== undefined && this.draw(this.drawnMs)).observe(this.host);
  }

  draw(nowMs: number): void {
    this.drawnMs = nowMs;
    const { series, windowMs, least, text, title } = this.options;
    const width = Math.max(this.host.clientWidth, 160);
    const top = niceCeiling(highest(series, least));
    const [right, bottom] = [width - inset.right, height - inset.bottom];
    const x = (atMs: number): number => right - ((nowMs - atMs) / windowMs) * (right - inset.left);
    const y = (value: number): number => bottom - (value / top) * (bottom - inset.top);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const rules = [0, top / 2, top].flatMap((value) => [
      makeSvg("line", { class: "rule", x1: inset.left, x2: right, y1: Math.round(y(value)) + 0.5, y2: Math.round(y(value)) + 0.5 }),
      label(inset.left - 8, y(value) + 4, "end", text(value)),
    ]);
    const ages = [label(inset.left, height - 3, "start", `${windowMs / 60_000} min ago`), label(right, height - 3, "end", "now")];
    const lines = series.flatMap(({ points }, index) => curve(points, index, x, y, bottom));
    this.svg.replaceChildren(...rules, ...ages, ...lines);
    const told = series.map(({ last }) => (last === undefined ? "nothing yet" : text(last))).join(" and ");
    this.host.setAttribute("aria-label", `${title}: ${told} now, at most ${text(highest(series, 0))} within ${windowMs / 60_000} minutes.`);
    this.host.dataset["points"] = String(series[0]?.points.length ?? 0);
  }
}

function curve(points: readonly Point[], index: number, x: (atMs: number) => number, y: (value: number) => number, floor: number): SVGElement[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return [];
  const path = points.map(({ atMs, value }) => `${x(atMs).toFixed(1)} ${y(value).toFixed(1)}`).join("L");
  const line = makeSvg("path", { class: index === 0 ? "line" : `line-${index}`, d: `M${path}` });
  if (index > 0) return [line];
  return [makeSvg("path", { class: "area", d: `M${x(first.atMs).toFixed(1)} ${floor}L${path}L${x(last.atMs).toFixed(1)} ${floor}Z` }), line];
}

function label(x: number, y: number, anchor: string, text: string): SVGElement {
  const element = makeSvg("text", { x, y, "text-anchor": anchor });
  element.textContent = text;
  return element;
}
