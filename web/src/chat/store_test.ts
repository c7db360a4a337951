// SPDX-License-Identifier: Apache-2.0
// The message store: order, doubles, edits, deletions, the optimistic echo; in whatever order pages come.
import assert from "node:assert/strict";
import { test } from "node:test";
import { largestInlineImage, longestText, readBody } from "./messages.ts";
import { MessageStore } from "./store.ts";
import type { Author } from "./store.ts";

const ada: Author = { user: "ada", name: "Ada" };
const bob: Author = { user: "bob", name: "Bob" };
const say = (id: string, text = id) => ({ t: "say", id, at: 1_000, text });
const edit = (id: string, of: string, text: string) => ({ t: "edit", id, at: 1_000, of, text });
const remove = (id: string, of: string) => ({ t: "delete", id, at: 1_000, of });
type Entry = readonly [number, Author | null, unknown];

function filled(entries: readonly Entry[]): MessageStore {
  const store = new MessageStore();
  for (const [offset, author, data] of entries) store.add(offset, author, data);
  return store;
}
const texts = (store: MessageStore): string[] => store.messages().map((one) => one.text);

test("messages stand in the stream's order, however they come", () => {
  const entries: Entry[] = [[1, ada, say("a")], [2, bob, say("b")], [3, ada, say("c")], [4, bob, say("d")]];
  for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 1, 3, 0, 2, 0]]) {
    const store = filled(order.map((index) => entries[index] as Entry));
    assert.deepEqual(texts(store), ["a", "b", "c", "d"]);
    assert.deepEqual([store.oldest, store.newest], [1, 4]);
  }
});

test("a message that was sent again is shown once, where it first stood", () => {
  const entries: Entry[] = [[1, ada, say("x")], [2, bob, say("y")], [3, ada, say("x")]];
  for (const order of [[0, 1, 2], [2, 1, 0], [2, 0, 1]]) {
    const store = filled(order.map((index) => entries[index] as Entry));
    assert.deepEqual(texts(store), ["x", "y"]);
  }
});

test("an id is its author's: another's message with the same id is another message", () => {
  assert.deepEqual(texts(filled([[1, ada, say("same", "hers")], [2, bob, say("same", "his")]])), ["hers", "his"]);
});

test("only the author edits and deletes, also when the edit is known before the message", () => {
  const entries: Entry[] = [[1, ada, say("m", "old")], [2, bob, edit("e1", "m", "his words")], [3, ada, edit("e2", "m", "new")], [4, bob, remove("d1", "m")]];
  for (const order of [[0, 1, 2, 3], [3, 2, 1, 0]]) {
    const store = filled(order.map((index) => entries[index] as Entry));
    assert.deepEqual(texts(store), ["new"]);
    assert.equal(store.messages()[0]?.edited, true);
  }
});

test("the newest edit counts, and a deletion takes text and picture away for good", () => {
  const store = filled([[1, ada, say("m", "one")], [4, ada, edit("e2", "m", "three")], [3, ada, edit("e1", "m", "two")]]);
  assert.deepEqual(texts(store), ["three"]);
  assert.equal(store.add(5, ada, remove("d", "m")), true);
  store.add(6, ada, edit("e3", "m", "four"));
  const [message] = store.messages();
  assert.deepEqual([message?.deleted, message?.edited, message?.text], [true, false, ""]);
});

test("a system line comes without a publisher, and nobody else writes one", () => {
  const line = { t: "system", id: "s", at: 1, text: "made" };
  assert.deepEqual(texts(filled([[1, null, line]])), ["made"]);
  assert.deepEqual(texts(filled([[1, ada, line], [2, null, say("x")]])), []);
});

test("what waits is shown at the end, and its edits and deletions are shown at once", () => {
  const store = filled([[1, ada, say("a")], [2, ada, say("b")]]);
  const body = (value: unknown) => ({ body: readBody(value) as never, failed: false });
  const shown = store.messages([body(say("c")), body(edit("e", "a", "a!")), body(remove("d", "b"))], ada);
  assert.deepEqual(shown.map((one) => [one.text, one.deleted, one.progress]), [["a!", false, "waiting"], ["", true, "waiting"], ["c", false, "waiting"]]);
  assert.deepEqual(texts(store), ["a", "b"]);
});

test("another life of the stream begins empty", () => {
  const store = filled([[7, ada, say("a")], [8, ada, remove("d", "a")]]);
  store.reset("next");
  assert.deepEqual([store.epoch, store.oldest, store.newest, store.messages().length, store.has("ada", "a")], ["next", 0, 0, 0, false]);
  store.add(1, ada, say("a"));
  assert.deepEqual(texts(store), ["a"]);
});

test("what does not fit the schema is nothing, but its offset counts", () => {
  const store = filled([[1, ada, null], [2, ada, 7], [3, ada, { t: "say", id: "a b", text: "x" }], [4, ada, { t: "say", id: "x", text: "" }], [5, ada, { t: "other", id: "x" }]]);
  assert.deepEqual([store.messages().length, store.newest], [0, 5]);
});

test("texts and pictures have their limits", () => {
  const picture = (data: string, type = "image/jpeg") => ({ ...say("p", ""), image: { width: 10, height: 10, type, data } });
  assert.ok(readBody(say("x", "x".repeat(longestText))));
  assert.equal(readBody(say("x", "x".repeat(longestText + 1))), null);
  assert.ok(readBody(picture("A".repeat(largestInlineImage))));
  assert.equal(readBody(picture("A".repeat(largestInlineImage + 4))), null);
  assert.equal(readBody(picture("AAAA", "image/svg+xml")), null);
  assert.equal(readBody(picture("<svg>")), null);
});
