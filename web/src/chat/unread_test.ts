// SPDX-License-Identifier: Apache-2.0
// Unread counts, receipts, names and typing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { directPlace, isRoomName, roomPlace, tidyRoomName } from "./names.ts";
import type { Storage } from "./queue.ts";
import { Receipts } from "./receipts.ts";
import { MessageStore } from "./store.ts";
import { believeForMs, tellEveryMs, TypingIn, TypingOut, typingText } from "./typing.ts";
import { ReadMarks, unreadCount, unreadText } from "./unread.ts";

const ada = { user: "ada", name: "Ada" };
const bob = { user: "bob", name: "Bob" };
const say = (id: string) => ({ t: "say", id, at: 1, text: id });

function storageOf(items = new Map<string, string>()): Storage {
  return {
    get length() { return items.size; },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

test("unread is what others said behind the mark", () => {
  const store = new MessageStore();
  store.reset("e");
  store.add(1, bob, say("1"));
  store.add(2, ada, say("2"));
  store.add(3, bob, say("3"));
  store.add(4, null, { t: "system", id: "s", at: 1, text: "made" });
  store.add(5, bob, say("5"));
  store.add(6, bob, { t: "delete", id: "d", at: 1, of: "5" });
  const count = (offset: number, epoch = "e") => unreadCount(store.messages(), { offset, epoch }, "e", "ada");
  assert.deepEqual([count(0), count(1), count(2), count(3)], [2, 1, 1, 0]);
  assert.equal(count(6, "another life"), 2);
  assert.equal(unreadCount(store.messages(), undefined, "e", "ada"), 2);
  assert.deepEqual([unreadText(0, true), unreadText(3, false), unreadText(50, true), unreadText(100, false)], ["", "3", "50+", "99+"]);
});

test("the read mark is kept for each user and conversation, and never goes back in one life of the stream", () => {
  const storage = storageOf();
  const marks = new ReadMarks(storage, "ada");
  assert.equal(marks.move("room", { offset: 5, epoch: "e" }), true);
  assert.equal(marks.move("room", { offset: 4, epoch: "e" }), false);
  assert.deepEqual(new ReadMarks(storage, "ada").of("room"), { offset: 5, epoch: "e" });
  assert.equal(new ReadMarks(storage, "bob").of("room"), undefined);
  assert.equal(marks.of("other"), undefined);
  assert.equal(marks.move("room", { offset: 1, epoch: "next" }), true);
});

test("receipts say who has received and read, and never go back in one life of the stream", () => {
  const receipts = new Receipts();
  const seen = (delivered: number, read: number, epoch = "e") => ({ t: "seen", epoch, delivered, read });
  assert.equal(receipts.apply("bob", seen(5, 3)), true);
  assert.equal(receipts.apply("bob", seen(4, 2)), false);
  receipts.apply("eve", seen(2, 2));
  assert.deepEqual(receipts.deliveredTo(5, "e", "ada"), ["bob"]);
  assert.deepEqual([receipts.readBy(2, "e", "ada"), receipts.readBy(3, "e", "ada"), receipts.readBy(4, "e", "ada")], [["bob", "eve"], ["bob"], []]);
  assert.deepEqual(receipts.readBy(2, "e", "bob"), ["eve"]);
  assert.deepEqual(receipts.readBy(1, "another life", "ada"), []);
  for (const nonsense of [null, {}, { t: "seen", epoch: "e", delivered: -1, read: 0 }, { t: "seen", epoch: 1, delivered: 1, read: 1 }]) {
    assert.equal(receipts.apply("bob", nonsense), false);
  }
});

test("both ends of a direct conversation come to the same channel", () => {
  assert.equal(directPlace("bob", "ada")?.channel, "chat:dm-#ada,bob");
  assert.deepEqual(directPlace("ada", "bob")?.receipts, directPlace("bob", "ada")?.receipts);
  for (const other of ["ada", "", "a,b", "a#b", "ä", "x y", "x".repeat(97)]) assert.equal(directPlace("ada", other), null);
});

test("the name of a room cannot mean another channel", () => {
  assert.equal(roomPlace("galley")?.channel, "chat:room-galley");
  for (const name of ["", "a#b", "a:b", "a,b", "-a", "a b", "x".repeat(49), "é"]) assert.equal(isRoomName(name), false, name);
  assert.ok(isRoomName("x".repeat(48)));
  assert.equal(tidyRoomName("  #Night watch "), "Night-watch");
});

test("typing is told now and then, and believed for a while", () => {
  const out = new TypingOut();
  assert.deepEqual([out.typed(0), out.typed(tellEveryMs - 1), out.typed(tellEveryMs)], [true, false, true]);
  out.stopped();
  assert.equal(out.typed(tellEveryMs + 1), true);
  const heard = new TypingIn();
  heard.heard("bob", "Bob", 0);
  heard.heard("eve", "Eve", 10);
  assert.equal(typingText(heard.names(20)), "Bob and Eve are typing…");
  heard.said("eve");
  assert.equal(typingText(heard.names(20)), "Bob is typing…");
  assert.deepEqual(heard.names(believeForMs), []);
});
