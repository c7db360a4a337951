// SPDX-License-Identifier: Apache-2.0
// What a frame of the client protocol holds, in words: the names of its messages, their ids, and all of it to read. The
// same for text and binary frames, and for the bodies of the emulated transports.
import { asNumber, asObject, asText, parseJsonObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { decode, hex, splitMessages } from "./wire.ts";

export type Direction = "in" | "out";
export type FrameData = string | Uint8Array;
export interface Frame {
  readonly direction: Direction;
  readonly atMs: number; // Unix time
  readonly bytes: number;
  readonly title: string; // "connect, subscribe news"
  readonly text: string; // everything, to read
  readonly ids: readonly number[];
  readonly probes: readonly number[]; // ids of latency probes that it holds
  readonly quiet: boolean; // nothing but pings and pongs
}

export const probeMethod = "console.latency";

// With channel compaction a push names its channel by a number, which the answer to the subscribing gave.
export class ChannelNumbers {
  private readonly asked = new Map<number, string>();
  private readonly names = new Map<number, string>();

  learn(direction: Direction, message: JsonObject): void {
    const subscribe = asObject(message["subscribe"]);
    if (subscribe === undefined) return;
    const id = asNumber(message["id"]);
    if (direction === "out") this.asked.set(id, asText(subscribe["channel"]));
    else if (asNumber(subscribe["id"]) !== 0) this.names.set(asNumber(subscribe["id"]), this.asked.get(id) ?? "");
  }
  nameOf(number: unknown): string {
    if (typeof number !== "number" || number === 0) return "";
    return this.names.get(number) || `channel ${number}`;
  }
  forget(): void {
    this.asked.clear();
    this.names.clear();
  }
}

export function readFrame(direction: Direction, data: FrameData, atMs: number, numbers = new ChannelNumbers()): Frame {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data).length : data.length;
  const messages = messagesOf(direction, data);
  if (messages === undefined) {
    const text = typeof data === "string" ? data : hex(data);
    return { direction, atMs, bytes, title: "not understood", text, ids: [], probes: [], quiet: false };
  }
  for (const message of messages) numbers.learn(direction, message);
  return {
    direction,
    atMs,
    bytes,
    title: messages.map((message) => titleOf(direction, message, numbers)).join(", "),
    text: messages.map((message) => JSON.stringify(message, undefined, 2)).join("\n"),
    ids: messages.map((message) => asNumber(message["id"])).filter((id) => id > 0),
    probes: messages.filter(isProbe).map((message) => asNumber(message["id"])),
    quiet: messages.every((message) => Object.keys(message).length === 0),
  };
}

function messagesOf(direction: Direction, data: FrameData): JsonObject[] | undefined {
  if (typeof data !== "string") return binaryMessages(direction, data);
  const messages = data.trim().split("\n").map(parseJsonObject);
  return messages.every((message) => message !== undefined) ? messages : undefined;
}

function binaryMessages(direction: Direction, data: Uint8Array): JsonObject[] | undefined {
  try {
    return splitMessages(data).map((message) => decode(direction === "in" ? "Reply" : "Command", message));
  } catch {
    return undefined;
  }
}

const isProbe = (message: JsonObject): boolean => asText(asObject(message["rpc"])?.["method"]) === probeMethod;

function titleOf(direction: Direction, message: JsonObject, numbers: ChannelNumbers): string {
  const push = asObject(message["push"]);
  if (push !== undefined) return pushTitle(push, numbers);
  const error = asObject(message["error"]);
  if (error !== undefined) return `error ${asNumber(error["code"])} ${asText(error["message"])}`.trim();
  const name = Object.keys(message).find((key) => key !== "id");
  if (name === undefined) return direction === "in" ? "ping" : "pong";
  const about = asObject(message[name]) ?? {};
  return [name, asText(about["channel"]) || asText(about["method"])].filter((part) => part !== "").join(" ");
}

function pushTitle(push: JsonObject, numbers: ChannelNumbers): string {
  const kind = Object.keys(push).find((key) => key !== "channel" && key !== "id") ?? "push";
  const offset = asNumber(asObject(push[kind])?.["offset"]);
  const delta = asObject(push[kind])?.["delta"] === true;
  const name = kind === "pub" ? "publication" : kind;
  return [name, asText(push["channel"]) || numbers.nameOf(push["id"]), offset > 0 ? `#${offset}` : "", delta ? "(delta)" : ""]
    .filter((part) => part !== "").join(" ");
}

// The commands within the body of a POST to /emulation; undefined when it is none.
export function emulatedCommands(body: FrameData): FrameData | undefined {
  if (typeof body === "string") {
    const data = parseJsonObject(body)?.["data"];
    return typeof data === "string" ? data : undefined;
  }
  try {
    return fieldBytes(body, 3);
  } catch {
    return undefined;
  }
}

// The last field of that number, as bytes.
function fieldBytes(message: Uint8Array, number: number): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  for (let at = 0; at < message.length;) {
    const key = message[at] ?? 0;
    const [length, start] = lengthAt(message, at + 1);
    if (key % 8 !== 2 || start + length > message.length) throw new RangeError("not an emulation request");
    if (key >> 3 === number) found = message.subarray(start, start + length);
    at = start + length;
  }
  return found;
}

function lengthAt(bytes: Uint8Array, at: number): [number, number] {
  let length = 0;
  for (let factor = 1; at < bytes.length && factor < 2 ** 35; factor *= 128) {
    const byte = bytes[at] ?? 0;
    at += 1;
    length += (byte & 0x7f) * factor;
    if (byte < 0x80) return [length, at];
  }
  throw new RangeError("the message is cut");
}

// Cuts what a stream brings into whole messages: lines of text, or messages with their length in front.
export class StreamCutter {
  private rest: Uint8Array = new Uint8Array();
  private readonly binary: boolean;

  constructor(binary: boolean) {
    this.binary = binary;
  }

  push(chunk: Uint8Array): FrameData[] {
    const bytes = new Uint8Array(this.rest.length + chunk.length);
    bytes.set(this.rest);
    bytes.set(chunk, this.rest.length);
    const end = this.binary ? wholeMessages(bytes) : bytes.lastIndexOf(newline) + 1;
    this.rest = bytes.slice(end);
    const whole = bytes.slice(0, end);
    if (this.binary) return end > 0 ? [whole] : [];
    return new TextDecoder().decode(whole).split("\n").filter((line) => line.trim() !== "");
  }
}

const newline = 10;

function wholeMessages(bytes: Uint8Array): number {
  let end = 0;
  try {
    while (end < bytes.length) {
      const [length, start] = lengthAt(bytes, end);
      if (start + length > bytes.length) break;
      end = start + length;
    }
  } catch {
    return end; // the next chunk has the rest of a length
  }
  return end;
}
