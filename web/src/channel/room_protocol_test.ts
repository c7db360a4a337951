// SPDX-License-Identifier: Apache-2.0
// The room's wire format: each event, each malformed event, lines and names.
import assert from "node:assert/strict";
import { test } from "node:test";
import { nameFault, nameLimit, parseLine, parseRoomEvent } from "./room_protocol.ts";

const parsed = (value: unknown) => parseRoomEvent(JSON.stringify(value));

test("a welcome carries the members and the history", () => {
  const event = parsed({
    type: "welcome",
    id: 3,
    name: "guest-3",
    members: [{ id: 1, name: "ada" }, { id: 3, name: "guest-3" }],
    history: [{ from: "ada", id: 1, text: "hello", at: 1_700_000_000_000 }],
  });
  assert.deepEqual(event, {
    type: "welcome",
    self: { id: 3, name: "guest-3" },
    members: [{ id: 1, name: "ada" }, { id: 3, name: "guest-3" }],
    history: [{ id: 1, from: "ada", text: "hello", atMs: 1_700_000_000_000 }],
  });
});

test("members and history that make no sense are left out, the welcome stays", () => {
  const event = parsed({ type: "welcome", id: 1, name: "a", members: [null, 7, { id: "1" }], history: "none" });
  assert.deepEqual(event, { type: "welcome", self: { id: 1, name: "a" }, members: [], history: [] });
});

test("each kind of event is understood", () => {
  const member = { id: 1, name: "ada" };
  assert.deepEqual(parsed({ type: "joined", ...member }), { type: "joined", member });
  assert.deepEqual(parsed({ type: "left", ...member }), { type: "left", member });
  assert.deepEqual(parsed({ type: "typing", ...member }), { type: "typing", member });
  assert.deepEqual(parsed({ type: "renamed", id: 1, from: "a", to: "b" }), { type: "renamed", id: 1, from: "a", to: "b" });
  assert.deepEqual(parsed({ type: "error", reason: "too long" }), { type: "error", reason: "too long" });
  const utterance = { id: 1, from: "ada", text: "<b>hi</b>", atMs: 5 };
  assert.deepEqual(parsed({ type: "message", id: 1, from: "ada", text: "<b>hi</b>", at: 5 }), { type: "message", utterance });
});

test("what is not an event is ignored", () => {
  const malformed = [null, [], 1, {}, { type: "dance" }, { type: "joined" }, { type: "message", id: 1, from: "a" }];
  for (const value of malformed) assert.equal(parsed(value), undefined, JSON.stringify(value));
  assert.equal(parseRoomEvent("ada: hello"), undefined);
});

test("a line is said, or renames as it does in a terminal", () => {
  assert.equal(parseLine("   "), undefined);
  assert.deepEqual(parseLine(" hi "), { type: "say", text: "hi" });
  assert.deepEqual(parseLine("/name  ada l. "), { type: "name", name: "ada l." });
  assert.deepEqual(parseLine("/nameless"), { type: "say", text: "/nameless" });
});

test("names are at most 32 printable characters", () => {
  assert.equal(nameFault("x".repeat(nameLimit)), "");
  assert.equal(nameFault("⛵".repeat(nameLimit)), "");
  assert.ok(nameFault("x".repeat(nameLimit + 1)));
  for (const name of ["", "  ", "a\u0007", "a\u202eb", "a\nb"]) assert.ok(nameFault(name), JSON.stringify(name));
});
