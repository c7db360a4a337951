// SPDX-License-Identifier: Apache-2.0
// The server's facts: everything that is not said counts as "no", and what is no answer of ours is nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFacts } from "./facts.ts";

test("facts are read as they are said", () => {
  const facts = parseFacts('{"version":"0.2","development":true,"admin":true,"admin_prefix":"/ops/","api":true,"api_prefix":"/v1","health":true,"http_stream":true,"sse":false}');
  assert.deepEqual(facts, {
    version: "0.2", development: true, admin: true, adminPrefix: "/ops", api: true, apiPrefix: "/v1", health: true, httpStream: true, sse: false,
  });
});

test("what is missing or of another type is no", () => {
  const facts = parseFacts('{"version":"0.2","development":"yes"}');
  assert.deepEqual([facts?.development, facts?.admin, facts?.adminPrefix, facts?.apiPrefix, facts?.sse], [false, false, "/admin", "/api", false]);
});

test("an answer of something else is nothing", () => {
  for (const text of ["", "<!doctype html>", "[]", "{}", '{"version":1}']) assert.equal(parseFacts(text), undefined);
});
