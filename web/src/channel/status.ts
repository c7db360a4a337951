// SPDX-License-Identifier: Apache-2.0
// The page's one answer to "am I connected": the lamp in the masthead and, when something is wrong, the banner with
// the reason and the time until the next attempt. Several connections feed it; the worst of them is shown.
import { describeClose } from "./backoff.ts";
import type { Phase } from "./connection.ts";
import { byId, show } from "../dom.ts";

const rank = { open: 0, connecting: 1, waiting: 2, stopped: 3 } as const;
const words = { open: "Connected", connecting: "Connecting", waiting: "Reconnecting", stopped: "Disconnected" } as const;

export function worstOf(phases: readonly Phase[]): Phase {
  return phases.reduce((worst, phase) => (rank[phase.kind] > rank[worst.kind] ? phase : worst), { kind: "open" });
}

export class Status {
  private readonly phases = new Map<string, Phase>();
  private readonly now: () => number;

  constructor(now: () => number, retry: () => void) {
    this.now = now;
    byId("banner-retry").addEventListener("click", retry);
  }

  set(name: string, phase: Phase): void {
    this.phases.set(name, phase);
    this.draw(worstOf([...this.phases.values()]));
  }

  // The countdown. Called often; it writes only what has changed.
  tick(): void {
    const worst = worstOf([...this.phases.values()]);
    write("banner-wait", waitText(worst, this.now()));
  }

  private draw(worst: Phase): void {
    const state = byId("state");
    if (state.dataset["state"] !== worst.kind) {
      state.dataset["state"] = worst.kind;
      byId("state-text").textContent = words[worst.kind];
    }
    const after = worst.kind === "open" ? undefined : worst.after;
    show(byId("banner"), after !== undefined);
    if (after === undefined) return;
    write("banner-title", `${describeClose(after)}.`);
    write("banner-detail", after.reason === "" ? `code ${after.code}` : `code ${after.code}, ${after.reason}`);
    show(byId("banner-retry"), worst.kind !== "connecting");
    this.tick();
  }
}

function waitText(phase: Phase, nowMs: number): string {
  if (phase.kind === "connecting") return "Connecting…";
  if (phase.kind !== "waiting") return "";
  return `Next attempt in ${Math.max(Math.ceil((phase.untilMs - nowMs) / 1_000), 0)} s`;
}

function write(id: string, text: string): void {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}
