// SPDX-License-Identifier: Apache-2.0
// Filters as they are typed become filters as they are sent.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTagsFilter } from "./tags_filter.ts";

test("one comparison is one leaf", () => {
  assert.deepEqual(parseTagsFilter("ticker = BTC"), { key: "ticker", cmp: "eq", val: "BTC" });
  assert.deepEqual(parseTagsFilter("price>=10"), { key: "price", cmp: "gte", val: "10" });
  assert.deepEqual(parseTagsFilter("name contains a b"), { key: "name", cmp: "ct", val: "a b" });
});

test("lists are cut at their commas", () => {
  assert.deepEqual(parseTagsFilter("lang in de, fr"), { key: "lang", cmp: "in", vals: ["de", "fr"] });
  assert.deepEqual(parseTagsFilter("lang not in de"), { key: "lang", cmp: "nin", vals: ["de"] });
});

test("a tag alone asks whether it is there", () => {
  assert.deepEqual(parseTagsFilter("urgent"), { key: "urgent", cmp: "ex" });
  assert.deepEqual(parseTagsFilter("!urgent"), { key: "urgent", cmp: "nex" });
});

test("and binds stronger than or", () => {
  assert.deepEqual(parseTagsFilter("a = 1 & b = 2 | c"), {
    op: "or",
    nodes: [{ op: "and", nodes: [{ key: "a", cmp: "eq", val: "1" }, { key: "b", cmp: "eq", val: "2" }] }, { key: "c", cmp: "ex" }],
  });
});

test("nothing is no filter, and nonsense is a sentence", () => {
  assert.equal(parseTagsFilter("  "), undefined);
  for (const text of ["= 3", "a = 1 &", "a ? b"]) assert.equal(typeof parseTagsFilter(text), "string");
});
