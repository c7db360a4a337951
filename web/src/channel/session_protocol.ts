// SPDX-License-Identifier: Apache-2.0
// What /api/session says on open: the facts of this connection as the server knows them. Everything from the wire is
// checked here; a fact that is missing is an empty text, never `undefined` on the page.
import { parseJsonObject } from "../json.ts";

export interface SessionFacts {
  readonly tls: string;
  readonly cipher: string;
  readonly group: string;
  readonly alpn: string;
  readonly resumed: boolean;
  readonly protocol: string;
  readonly extensions: string;
  readonly server: string;
  readonly peer: string;
  readonly ca: string; // what `fairlead connect --ca` needs, `dev` for the development CA; empty unless the server tells
}

export function parseSessionFacts(text: string): SessionFacts | undefined {
  const object = parseJsonObject(text);
  if (object === undefined || typeof object["tls"] !== "string") return undefined;
  const textOf = (name: string): string => (typeof object[name] === "string" ? object[name] : "");
  return {
    tls: textOf("tls"),
    cipher: textOf("cipher"),
    group: textOf("group"),
    alpn: textOf("alpn"),
    resumed: object["resumed"] === true,
    protocol: textOf("protocol"),
    extensions: textOf("extensions"),
    server: textOf("server"),
    peer: textOf("peer"),
    ca: textOf("ca"),
  };
}

// The command that joins the room from a terminal, safe to paste into a POSIX shell.
export function joinCommand(host: string, ca: string): string {
  const command = `fairlead connect wss://${host}/room`;
  return ca === "" ? command : `${command} --ca ${shellQuoted(ca)}`;
}

function shellQuoted(text: string): string {
  return /^[\w./~-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
