// SPDX-License-Identifier: Apache-2.0
// Pictures that were taken back: the backend hears of each, however often it is away.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStorage } from "./queue_test.ts";
import { Releases } from "./releases.ts";

test("a picture is released at once when the backend is there", async () => {
  const told: string[] = [];
  const releases = new Releases(new MemoryStorage(), "ada", async (picture, message) => void told.push(`${picture} of ${message}`));
  releases.add("p1", "m1");
  await releases.flush();
  releases.add("p1", "m2");
  await releases.flush();
  assert.deepEqual(told, ["p1 of m1", "p1 of m2"]);
});

test("what the backend has not heard is told again, also by a later visit, and once", async () => {
  const storage = new MemoryStorage();
  const told: string[] = [];
  let here = false;
  const tell = async (picture: string, message: string): Promise<void> => {
    if (!here) throw new Error("away");
    told.push(`${picture} of ${message}`);
  };
  const first = new Releases(storage, "ada", tell);
  first.add("p1", "m1");
  first.add("p2", "m2");
  await first.flush();
  assert.deepEqual(told, []);
  here = true;
  const bob = new Releases(storage, "bob", tell);
  await bob.flush();
  assert.deepEqual(told, [], "each user tells of his own");
  const later = new Releases(storage, "ada", tell);
  await later.flush();
  await later.flush();
  assert.deepEqual(told, ["p1 of m1", "p2 of m2"]);
  assert.equal(storage.length, 0);
});

test("a full storage leaves one try", async () => {
  const storage = new MemoryStorage();
  storage.full = true;
  const told: string[] = [];
  new Releases(storage, "ada", async (picture) => void told.push(picture)).add("p1", "m1");
  await Promise.resolve();
  assert.deepEqual(told, ["p1"]);
});
