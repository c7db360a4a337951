// SPDX-License-Identifier: Apache-2.0
// Puts the page together: one connection that is measured, one for the room, and the status that watches both.
import { byId, show } from "../dom.ts";
import { fetchFacts } from "../facts.ts";
import { showLinks } from "../lamp.ts";
import { Connection, browserWorld } from "./connection.ts";
import { enableCopy, showJoinCommand } from "./join.ts";
import { showNegotiated } from "./negotiated.ts";
import { Room } from "./room.ts";
import { RttGraph } from "../rtt_graph.ts";
import { RttMeter, probeEveryMs } from "./rtt_meter.ts";
import { parseSessionFacts } from "./session_protocol.ts";
import { SampleWindow } from "../statistics.ts";
import { Status } from "./status.ts";

const windowMs = 60_000;
const now = browserWorld.now;

const status = new Status(now, () => {
  session.retryNow();
  roomLink.retryNow();
});

const samples = new SampleWindow(windowMs, (2 * windowMs) / probeEveryMs);
const graph = new RttGraph(samples);
const meter = new RttMeter();
let agreed = { protocol: "", extensions: "" };

const session: Connection = new Connection(`wss://${location.host}/api/session`, "session.fairlead", {
  phase: (phase) => status.set("session", phase),
  open: (protocol, extensions) => {
    agreed = { protocol, extensions };
    meter.forget();
  },
  text: (text) => {
    const sample = meter.echo(text, now());
    if (sample !== undefined) return samples.add(sample);
    const facts = parseSessionFacts(text);
    if (facts === undefined) return;
    showNegotiated(facts, agreed);
    showJoinCommand(facts.ca);
  },
}, browserWorld);

const room = new Room((command) => roomLink.send(JSON.stringify(command)), now);
const roomLink: Connection = new Connection(`wss://${location.host}/room`, "room.json", {
  phase: (phase) => {
    status.set("room", phase);
    room.setConnected(phase.kind === "open");
  },
  open: () => {},
  text: (text) => room.hear(text),
}, browserWorld);

// The probe leaves last: what is drawn here must not stand in the way of its echo.
function measure(): void {
  graph.draw(now());
  status.tick();
  room.tick();
  if (meter.silent(now())) {
    meter.forget();
    session.drop("no echo");
  }
  if (!session.send(meter.probe(now()))) meter.forget();
}

// `fairlead demo` has this page alone and leads from / to it; the real-time server has a start page, and more.
async function linkOtherPages(): Promise<void> {
  const { type } = await fetch("/", { method: "HEAD", redirect: "manual" });
  if (type === "opaqueredirect") return;
  showLinks(await fetchFacts());
  show(byId("pages"), true);
}

linkOtherPages().catch(() => {}); // without an answer there is nothing to link to
showJoinCommand("");
enableCopy();
session.start();
roomLink.start();
setInterval(measure, probeEveryMs);
addEventListener("online", () => {
  session.retryNow();
  roomLink.retryNow();
});
