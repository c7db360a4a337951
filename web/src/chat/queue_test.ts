// SPDX-License-Identifier: Apache-2.0
// The offline queue: its order, what is sent again, and what survives the page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { OfflineQueue } from "./queue.ts";
import type { Storage } from "./queue.ts";
import type { Said } from "./messages.ts";

export class MemoryStorage implements Storage {
  readonly #items = new Map<string, string>();
  full = false;
  get length(): number {
    return this.#items.size;
  }
  key(index: number): string | null {
    return [...this.#items.keys()][index] ?? null;
  }
  getItem(key: string): string | null {
    return this.#items.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    if (this.full) throw new Error("quota");
    this.#items.set(key, value);
  }
  removeItem(key: string): void {
    this.#items.delete(key);
  }
}
const body = (id: string, at = 1): Said => ({ t: "say", id, at, text: id });
const ids = (queue: OfflineQueue, place = "room"): string[] => queue.of(place).map((item) => item.body.id);

test("items leave in the order in which they were written, one after another", () => {
  const queue = new OfflineQueue(new MemoryStorage(), "ada");
  for (const id of ["a", "b", "c"]) queue.put("room", body(id));
  assert.equal(queue.next("room")?.body.id, "a");
  queue.sent("a");
  assert.equal(queue.next("room")?.body.id, "b");
  assert.deepEqual(ids(queue), ["a", "b", "c"]);
  assert.equal(queue.next("elsewhere"), undefined);
});

test("an item stays until it is seen, and is sent again if it was not", () => {
  const queue = new OfflineQueue(new MemoryStorage(), "ada");
  for (const id of ["a", "b"]) queue.put("room", body(id));
  queue.sent("a");
  queue.sent("b");
  assert.equal(queue.remove("a"), true);
  assert.equal(queue.remove("a"), false);
  assert.equal(queue.next("room"), undefined);
  queue.rewind("room");
  assert.equal(queue.next("room")?.body.id, "b");
});

test("one that is refused does not hold up the others, and is sent again only when asked", () => {
  const queue = new OfflineQueue(new MemoryStorage(), "ada");
  for (const id of ["a", "b"]) queue.put("room", body(id));
  queue.failed("a");
  assert.equal(queue.next("room")?.body.id, "b");
  queue.rewind("room");
  assert.equal(queue.next("room")?.body.id, "b");
  queue.retry("a");
  assert.equal(queue.next("room")?.body.id, "a");
});

test("the queue survives its page: same order, what was under way is sent again", () => {
  const storage = new MemoryStorage();
  const before = new OfflineQueue(storage, "ada");
  for (const [id, at] of [["a", 5], ["b", 5], ["c", 3]] as const) before.put("room", body(id, at));
  before.attempt("a", { offset: 40, epoch: "e" });
  before.attempt("a", { offset: 50, epoch: "e" });
  before.sent("a");
  before.failed("b");
  const after = new OfflineQueue(storage, "ada");
  assert.deepEqual(after.of("room").map((item) => [item.body.id, item.state]), [["a", "waiting"], ["b", "failed"], ["c", "waiting"]]);
  assert.equal(after.earliest("room", "e"), 40);
  assert.equal(after.earliest("room", "another"), undefined);
  assert.deepEqual(after.places(), ["room"]);
  assert.equal(new OfflineQueue(storage, "bob").size, 0);
});

test("two tabs keep each their own items", () => {
  const storage = new MemoryStorage();
  const [one, two] = [new OfflineQueue(storage, "ada"), new OfflineQueue(storage, "ada")];
  one.put("room", body("a"));
  two.put("room", body("b"));
  assert.deepEqual(ids(new OfflineQueue(storage, "ada")).sort(), ["a", "b"]);
  one.remove("a");
  assert.deepEqual(ids(new OfflineQueue(storage, "ada")), ["b"]);
});

test("a full storage costs the survival, not the message; nonsense in it is thrown away", () => {
  const storage = new MemoryStorage();
  storage.setItem("fairlead-chat/queue/ada/x", "{");
  storage.full = true;
  const queue = new OfflineQueue(storage, "ada");
  queue.put("room", body("a"));
  assert.equal(queue.next("room")?.body.id, "a");
  assert.equal(storage.length, 0);
});

test("a picture that is uploaded leaves the queue lighter", () => {
  const queue = new OfflineQueue(new MemoryStorage(), "ada");
  queue.put("room", body("a"), { upload: { data: "AAAA", type: "image/jpeg", width: 1, height: 1 } });
  queue.uploaded("a", { ...body("a"), image: { width: 1, height: 1, type: "image/jpeg", id: "p" } });
  const [item] = queue.of("room");
  assert.equal(item?.upload, undefined);
  assert.equal(item?.body.t === "say" && item.body.image?.id, "p");
});

test("why something failed is kept for its author, and forgotten when it is tried again", () => {
  const storage = new MemoryStorage();
  new OfflineQueue(storage, "ada").put("room", body("a"));
  new OfflineQueue(storage, "ada").failed("a", "it is too large");
  const queue = new OfflineQueue(storage, "ada");
  assert.deepEqual(queue.of("room").map(({ state, why }) => [state, why]), [["failed", "it is too large"]]);
  queue.retry("a");
  assert.deepEqual(queue.of("room").map(({ state, why }) => [state, why]), [["waiting", undefined]]);
});
