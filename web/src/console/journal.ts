// SPDX-License-Identifier: Apache-2.0
// The journal: one line for each frame and for what the SDK made of it, newest first, bounded. A line opens to the whole
// frame.
import { byId, make } from "../dom.ts";
import { formatBytes, formatTime } from "../format.ts";
import { ChannelNumbers, readFrame } from "./frames.ts";
import type { Direction, Frame, FrameData } from "./frames.ts";

const linesKept = 400;

export class Journal {
  private readonly list = byId("journal");
  private readonly filter = byId<HTMLInputElement>("journal-filter");
  private readonly withQuiet = byId<HTMLInputElement>("journal-quiet");
  private readonly pauseButton = byId("journal-pause");
  private readonly probes = new Set<number>();
  private readonly numbers = new ChannelNumbers();
  private readonly totals = { in: { frames: 0, bytes: 0 }, out: { frames: 0, bytes: 0 } };
  private paused = false;

  constructor() {
    byId("journal-clear").addEventListener("click", () => this.list.replaceChildren());
    this.pauseButton.addEventListener("click", () => this.pause(!this.paused));
    this.filter.addEventListener("input", () => this.sift());
    this.withQuiet.addEventListener("change", () => this.sift());
  }

  frame(direction: Direction, data: FrameData): void {
    const frame = readFrame(direction, data, Date.now(), this.numbers);
    this.totals[direction].frames += 1;
    this.totals[direction].bytes += frame.bytes;
    this.showTotals();
    const quiet = frame.quiet || this.isProbe(frame);
    if (!this.paused) this.add(frameLine(frame), quiet);
  }

  event(text: string, bad = false): void {
    const line = make("li", "event", time(Date.now()), make("span", "", "·"), make("span", "what", text));
    if (bad) line.dataset["bad"] = "";
    if (!this.paused) this.add(line, false);
  }

  // Ids and numbers begin anew with each connection.
  beginAnew(): void {
    this.probes.clear();
    this.numbers.forget();
  }

  private isProbe(frame: Frame): boolean {
    for (const id of frame.probes) this.probes.add(id);
    return frame.ids.length > 0 && frame.ids.every((id) => this.probes.has(id));
  }

  private add(line: HTMLElement, quiet: boolean): void {
    if (quiet) line.dataset["quiet"] = "";
    this.list.prepend(line);
    this.siftLine(line);
    while (this.list.childElementCount > linesKept) this.list.lastElementChild?.remove();
  }

  private sift(): void {
    for (const line of this.list.children) this.siftLine(line as HTMLElement);
  }

  private siftLine(line: HTMLElement): void {
    const wanted = this.filter.value.trim().toLowerCase();
    const fits = wanted === "" || (line.textContent ?? "").toLowerCase().includes(wanted);
    line.hidden = !fits || (!this.withQuiet.checked && line.dataset["quiet"] !== undefined);
  }

  private pause(paused: boolean): void {
    this.paused = paused;
    this.pauseButton.setAttribute("aria-pressed", String(paused));
  }

  private showTotals(): void {
    const told = (direction: Direction): string =>
      `${this.totals[direction].frames} ${direction}, ${formatBytes(this.totals[direction].bytes)}`;
    byId("journal-totals").textContent = `${told("out")} · ${told("in")}`;
  }
}

const time = (atMs: number): HTMLElement => make("time", "", formatTime(atMs, true));

function frameLine(frame: Frame): HTMLElement {
  const arrow = make("span", "arrow", frame.direction === "out" ? "→" : "←");
  arrow.setAttribute("aria-label", frame.direction === "out" ? "sent" : "received");
  arrow.setAttribute("role", "img");
  const size = make("span", "size", formatBytes(frame.bytes));
  const summary = make("summary", "", time(frame.atMs), arrow, make("span", "what", frame.title), size);
  const line = make("li", "frame", make("details", "", summary, make("pre", "", frame.text)));
  line.dataset["direction"] = frame.direction;
  return line;
}
