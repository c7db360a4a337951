// SPDX-License-Identifier: Apache-2.0
// The start page, alive: asks the server every few seconds whether it answers and takes clients, and shows how a client
// of this very server begins.
import { byId, show } from "../dom.ts";
import { fetchFacts } from "../facts.ts";
import type { ServerFacts } from "../facts.ts";
import { setLamp, showLinks } from "../lamp.ts";
import { formatMs } from "../statistics.ts";
import { firstClient, firstPublish, transportNames } from "./first_steps.ts";

const askEveryMs = 3_000;

async function isReady(facts: ServerFacts): Promise<boolean> {
  if (!facts.health) return true;
  return fetch("/ready", { cache: "no-store" }).then((answer) => answer.ok, () => false);
}

async function ask(): Promise<void> {
  const askedMs = performance.now();
  const facts = await fetchFacts();
  const tookMs = performance.now() - askedMs;
  if (facts === undefined) return showSilence();
  const ready = await isReady(facts);
  setLamp(ready ? "open" : "waiting", ready ? "Ready" : "Not ready");
  byId("live").textContent = ready ? "Ready for clients" : "Takes no new clients";
  byId("answers").textContent = `${formatMs(tookMs)} ms`;
  showFacts(facts);
}

function showSilence(): void {
  setLamp("stopped", "No answer");
  byId("live").textContent = "It does not answer";
  byId("answers").textContent = "–";
}

function showFacts(facts: ServerFacts): void {
  byId("version").textContent = `fairlead ${facts.version}`;
  byId("endpoint").textContent = `wss://${location.host}/connection/websocket`;
  byId("transports").textContent = transportNames(facts).join(", ");
  byId("api").textContent = facts.api ? `https://${location.host}${facts.apiPrefix}` : "off";
  show(byId("mode"), facts.development);
  show(byId("development-hint"), facts.development);
  byId("first-client").textContent = firstClient(location.host, facts.development);
  byId("first-publish").textContent = firstPublish(location.host, facts.apiPrefix, facts.development);
  showLinks(facts);
}

showLinks(undefined);
void ask();
setInterval(() => void ask(), askEveryMs);
