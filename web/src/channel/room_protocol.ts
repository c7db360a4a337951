// SPDX-License-Identifier: Apache-2.0
// The room's words on the wire (subprotocol `room.json`): what may be said, what may be heard. A message that is not
// one of these is `undefined`; the page ignores it.
import { parseJsonObject } from "../json.ts";

export const textLimit = 2_000; // characters
export const nameLimit = 32; // characters

export interface Member {
  readonly id: number;
  readonly name: string;
}

export interface Utterance {
  readonly id: number;
  readonly from: string;
  readonly text: string;
  readonly atMs: number;
}

export type RoomEvent =
  | { readonly type: "welcome"; readonly self: Member; readonly members: Member[]; readonly history: Utterance[] }
  | { readonly type: "message"; readonly utterance: Utterance }
  | { readonly type: "joined"; readonly member: Member }
  | { readonly type: "left"; readonly member: Member }
  | { readonly type: "renamed"; readonly id: number; readonly from: string; readonly to: string }
  | { readonly type: "typing"; readonly member: Member }
  | { readonly type: "error"; readonly reason: string };

export type RoomCommand =
  | { readonly type: "say"; readonly text: string }
  | { readonly type: "name"; readonly name: string }
  | { readonly type: "typing" };

type Fields = Readonly<Record<string, unknown>>;

export function parseRoomEvent(text: string): RoomEvent | undefined {
  const fields = parseJsonObject(text);
  if (fields === undefined) return undefined;
  const type = fields["type"];
  if (type === "welcome") return parseWelcome(fields);
  if (type === "message") return withUtterance(parseUtterance(fields));
  if (type === "joined" || type === "left" || type === "typing") return withMember(type, parseMember(fields));
  if (type === "renamed") return parseRenamed(fields);
  if (type === "error") return { type, reason: textOr(fields["reason"], "unknown") };
  return undefined;
}

function parseWelcome(fields: Fields): RoomEvent | undefined {
  const self = parseMember(fields);
  if (self === undefined) return undefined;
  return {
    type: "welcome",
    self,
    members: listOf(fields["members"], parseMember),
    history: listOf(fields["history"], parseUtterance),
  };
}

function parseRenamed(fields: Fields): RoomEvent | undefined {
  const { id, from, to } = fields;
  if (typeof id !== "number" || typeof from !== "string" || typeof to !== "string") return undefined;
  return { type: "renamed", id, from, to };
}

function withUtterance(utterance: Utterance | undefined): RoomEvent | undefined {
  return utterance === undefined ? undefined : { type: "message", utterance };
}

function withMember(type: "joined" | "left" | "typing", member: Member | undefined): RoomEvent | undefined {
  return member === undefined ? undefined : { type, member };
}

function parseMember(fields: Fields): Member | undefined {
  const { id, name } = fields;
  return typeof id === "number" && typeof name === "string" ? { id, name } : undefined;
}

function parseUtterance(fields: Fields): Utterance | undefined {
  const { id, from, text, at } = fields;
  if (typeof id !== "number" || typeof from !== "string" || typeof text !== "string") return undefined;
  return { id, from, text, atMs: typeof at === "number" ? at : 0 };
}

function listOf<T>(value: unknown, parse: (fields: Fields) => T | undefined): T[] {
  if (!Array.isArray(value)) return [];
  return value
    .filter((item): item is Fields => typeof item === "object" && item !== null)
    .map(parse)
    .filter((item): item is T & {} => item !== undefined);
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

// What a line in the composer means: `/name ada` renames as it does in a terminal, everything else is said.
export function parseLine(line: string): RoomCommand | undefined {
  const text = line.trim();
  if (text === "") return undefined;
  const name = /^\/name\s+(.+)$/u.exec(text)?.[1];
  return name === undefined ? { type: "say", text } : { type: "name", name: name.trim() };
}

// Why the server would refuse a name; empty when it would not.
export function nameFault(name: string): string {
  if (name.trim() === "") return "A name needs at least one character.";
  if ([...name].length > nameLimit) return `A name has at most ${nameLimit} characters.`;
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) return "A name has printable characters only.";
  return "";
}
