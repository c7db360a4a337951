// SPDX-License-Identifier: Apache-2.0
// The panel that says what both ends agreed on: the server's facts, checked against what the browser saw itself.
import { byId, show } from "./dom.ts";
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
  fill("extensions", agreed(facts.extensions, browser.extensions));
  fill("server", facts.server);
  fill("peer", facts.peer);
  show(byId("fact-post-quantum"), /mlkem/i.test(facts.group));
}

function fill(name: string, value: string): void {
  byId(`fact-${name}`).textContent = value === "" ? "none" : value;
}

// Both ends should tell the same story. When they differ in more than spaces, both stories are shown.
function agreed(server: string, browser: string): string {
  const bare = (text: string): string => text.replace(/\s+/g, "");
  return bare(server) === bare(browser) ? server : `${server || "none"} (this browser says: ${browser || "none"})`;
}
