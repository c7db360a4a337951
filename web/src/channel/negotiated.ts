// SPDX-License-Identifier: Apache-2.0
// The panel that says what both ends agreed on: the server's facts, checked against what the browser saw itself.
import { byId, show } from "../dom.ts";
import type { SessionFacts } from "./session_protocol.ts";

export interface BrowserView {
  readonly protocol: string;
  readonly extensions: string;
}

export function showNegotiated(facts: SessionFacts, browser: BrowserView): void {
  fill("tls", facts.tls);
  fill("cipher", facts.cipher);
  fill("group", facts.group);
  fill("handshake", facts.resumed ? "resumed" : "full");
  fill("alpn", facts.alpn);
  fill("protocol", agreed(facts.protocol, browser.protocol));
  fill("extensions", agreed(facts.extensions, browser.extensions, extensionNames));
  fill("server", facts.server);
  fill("peer", facts.peer);
  show(byId("fact-post-quantum"), /mlkem/i.test(facts.group));
}

function fill(name: string, value: string): void {
  byId(`fact-${name}`).textContent = value === "" ? "none" : value;
}

// Both ends should tell the same story. When they differ in more than `essence` leaves out, both stories are shown.
function agreed(server: string, browser: string, essence = (text: string): string => text): string {
  if (essence(server) === essence(browser)) return server;
  return `${server || "none"} (this browser says: ${browser || "none"})`;
}

// Firefox tells the names of the extensions without their parameters.
function extensionNames(text: string): string {
  return text.split(",").map((extension) => extension.split(";")[0]?.trim()).join();
}
