// SPDX-License-Identifier: Apache-2.0
// The console: connects as the form says, keeps the journal, and measures the round trip with a call that any server
// answers, if only by saying that it knows no such method.
import { byId, show } from "../dom.ts";
import { fetchFacts } from "../facts.ts";
import { setLamp, showLinks } from "../lamp.ts";
import { RttGraph } from "../rtt_graph.ts";
import { SampleWindow } from "../statistics.ts";
import { ChannelCalls } from "./channel_calls.ts";
import { developmentToken, makeClient } from "./client.ts";
import type { Client, ClientChoice } from "./client.ts";
import { probeMethod } from "./frames.ts";
import { Journal } from "./journal.ts";
import { Subscriptions } from "./subscriptions.ts";

const probeEveryMs = 1_000;
const windowMs = 60_000;
const lampWords = { connected: "Connected", connecting: "Connecting", disconnected: "Disconnected" } as const;

const input = (id: string): HTMLInputElement => byId<HTMLInputElement>(id);
const journal = new Journal();
const samples = new SampleWindow(windowMs, 2 * (windowMs / probeEveryMs));
const graph = new RttGraph(samples, 5 * probeEveryMs);
let client: Client | undefined;
let binary = false;

const subscriptions = new Subscriptions(journal, (channel) => {
  input("channel").value = channel;
  input("channel").focus();
});
new ChannelCalls(() => (client === undefined ? undefined : { client, binary }));

// ── Connecting ──────────────────────────────────────────────────────────────────────────────────────────────────────

function choiceOfForm(): ClientChoice {
  const user = input("user").value.trim();
  const token = input("token").value.trim();
  return {
    transport: byId<HTMLSelectElement>("transport").value as ClientChoice["transport"],
    binary: byId<HTMLSelectElement>("format").value === "protobuf",
    token,
    getToken: token === "" && user !== "" ? () => developmentToken(user) : null,
  };
}

async function connect(): Promise<void> {
  disconnect();
  const choice = choiceOfForm();
  const made = await makeClient(choice, (direction, data) => journal.frame(direction, data));
  disconnect(); // whoever was quicker
  binary = choice.binary;
  client = made;
  watch(client);
  client.connect();
}

function disconnect(): void {
  client?.disconnect();
  client?.removeAllListeners();
  client = undefined;
  subscriptions.clear();
  journal.beginAnew();
  showState("disconnected");
}

function watch(watched: Client): void {
  watched.on("state", ({ newState }) => showState(newState));
  watched.on("connecting", ({ code, reason }) => {
    journal.beginAnew();
    journal.event(`connecting: ${reason} (${code})`, code > 1);
  });
  watched.on("connected", (context) => {
    byId("client-id").textContent = context.client;
    journal.event(`connected over ${context.transport}`);
  });
  watched.on("disconnected", ({ code, reason }) => journal.event(`disconnected: ${reason} (${code})`, code > 0));
  watched.on("error", ({ type, error }) => journal.event(`${type}: ${error.message} (${error.code})`, true));
  watched.on("message", () => journal.event("a message of the server"));
  watched.on("subscribed", ({ channel }) => journal.event(`the server subscribed this client to ${channel}`));
  watched.on("unsubscribed", ({ channel }) => journal.event(`the server ended the subscription to ${channel}`));
}

function showState(state: keyof typeof lampWords): void {
  setLamp(state === "connected" ? "open" : state === "connecting" ? "connecting" : "stopped", lampWords[state]);
  byId<HTMLButtonElement>("disconnect").disabled = state === "disconnected";
  if (state !== "connected") byId("client-id").textContent = "";
}

// ── Measuring ───────────────────────────────────────────────────────────────────────────────────────────────────────

async function probe(): Promise<void> {
  graph.draw(performance.now());
  if (client?.state !== "connected" || !input("measure").checked) return;
  const leftMs = performance.now();
  const answered = await client.rpc(probeMethod, binary ? new Uint8Array() : null).then(() => true, ({ code }: { code: number }) => code >= 100);
  const nowMs = performance.now();
  if (answered) samples.add({ atMs: nowMs, rttMs: nowMs - leftMs });
}

// ── The form ────────────────────────────────────────────────────────────────────────────────────────────────────────

// Server-sent events are text.
function fitFormat(): void {
  const format = byId<HTMLSelectElement>("format");
  const text = byId<HTMLSelectElement>("transport").value === "sse";
  if (text) format.value = "json";
  format.disabled = text;
}

async function fitServer(): Promise<void> {
  const facts = await fetchFacts();
  showLinks(facts);
  if (facts === undefined) return;
  show(byId("user-field"), facts.development);
  const transports = byId<HTMLSelectElement>("transport").options;
  for (const option of transports) {
    option.disabled = (option.value === "sse" && !facts.sse) || (option.value === "http_stream" && !facts.httpStream);
  }
}

byId("connect-form").addEventListener("submit", (event) => {
  event.preventDefault();
  void connect();
});
byId("disconnect").addEventListener("click", disconnect);
byId("subscribe-form").addEventListener("submit", (event) => {
  event.preventDefault();
  byId("subscribe-fault").textContent = client === undefined ? "Connect first." : subscriptions.add(client);
});
byId("transport").addEventListener("change", fitFormat);
showState("disconnected");
fitFormat();
void fitServer();
setInterval(() => void probe(), probeEveryMs);
