// SPDX-License-Identifier: Apache-2.0
// The SDK as the console uses it: one client at a time, JSON in the fields of the page whatever the format on the wire.
import { Centrifuge } from "centrifuge";
import type { Options, TransportEndpoint } from "centrifuge";
import { payload } from "./wire.ts";
import { recordingEventSource, recordingFetch, recordingWebSocket } from "./recording.ts";
import type { Recorder } from "./recording.ts";

export type Client = Centrifuge;
export interface ClientChoice {
  readonly transport: "websocket" | "http_stream" | "sse";
  readonly binary: boolean;
  readonly token: string;
  readonly getToken: (() => Promise<string>) | null;
}

export async function makeClient(choice: ClientChoice, record: Recorder): Promise<Client> {
  const scheme = choice.transport === "websocket" ? "wss:" : location.protocol;
  const endpoint: TransportEndpoint = {
    transport: choice.transport,
    endpoint: `${scheme}//${location.host}/connection/${choice.transport}`,
  };
  const options: Partial<Options> = {
    token: choice.token,
    getToken: choice.getToken,
    name: "console",
    websocket: recordingWebSocket(record),
    fetch: recordingFetch(record),
    eventsource: recordingEventSource(record),
    emulationEndpoint: `${location.origin}/emulation`,
  };
  if (!choice.binary) return new Centrifuge([endpoint], options);
  const { Centrifuge: Binary } = await import("centrifuge/build/protobuf"); // most never need it
  return new Binary([endpoint], options) as unknown as Client; // the same class, declared twice
}

// What is published must be JSON: an object in one format, its bytes in the other. Throws SyntaxError.
export function outgoing(text: string, binary: boolean): unknown {
  const value: unknown = JSON.parse(text);
  return binary ? new TextEncoder().encode(JSON.stringify(value)) : value;
}

export function incoming(data: unknown): unknown {
  return data instanceof Uint8Array ? payload(data) : data;
}

// In development a name is enough: the server answers with a token for it.
export async function developmentToken(user: string): Promise<string> {
  const answer = await fetch(`/development/token?user=${encodeURIComponent(user)}`, { headers: { "X-Fairlead-Development": "1" } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text.trim());
  return (JSON.parse(text) as { token: string }).token;
}
