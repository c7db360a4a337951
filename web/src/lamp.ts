// SPDX-License-Identifier: Apache-2.0
// The lamp in the masthead of the server's pages, and the links beside it to pages that there are.
import { byId } from "./dom.ts";
import type { ServerFacts } from "./facts.ts";

export type LampState = "open" | "connecting" | "waiting" | "stopped";

// Writes only what has changed: a screen reader says each change.
export function setLamp(state: LampState, text: string): void {
  const lamp = byId("state");
  if (lamp.dataset["state"] !== state) lamp.dataset["state"] = state;
  const words = byId("state-text");
  if (words.textContent !== text) words.textContent = text;
}

// The pages that were built and that this server has something behind.
export function pagesOf(built: string, facts: ServerFacts | undefined): ReadonlySet<string> {
  const pages = new Set(built.split(" "));
  if (facts?.admin === false) pages.delete("admin");
  if (facts?.api === false) pages.delete("reference");
  if (facts?.development === false) pages.delete("channel");
  return pages;
}

export function showLinks(facts: ServerFacts | undefined): void {
  const pages = pagesOf(import.meta.env.PAGES, facts);
  for (const link of document.querySelectorAll<HTMLAnchorElement>(".pages a, .card")) {
    link.hidden = !pages.has(link.pathname.replaceAll("/", ""));
  }
}
