// SPDX-License-Identifier: Apache-2.0
// The first steps name this server, and a token only where one is needed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFacts } from "../facts.ts";
import { pagesOf } from "../lamp.ts";
import { firstClient, firstPublish, transportNames } from "./first_steps.ts";

test("a first client needs a token unless the server is one to develop with", () => {
  assert.ok(firstClient("localhost:1", true).includes('new Centrifuge(\n  "wss://localhost:1/connection/websocket",\n);'));
  assert.ok(firstClient("localhost:1", false).includes("token: TOKEN"));
});

test("a first publication goes where the API is", () => {
  const published = firstPublish("example.org", "/v1", false);
  assert.ok(published.startsWith("curl https://example.org/v1/publish "));
  assert.ok(!published.includes("--cacert"));
  assert.ok(firstPublish("localhost:1", "/api", true).includes("--cacert ~/.local/share/fairlead/ca.pem"));
});

test("only transports that are served are named", () => {
  const facts = parseFacts('{"version":"1","sse":true}');
  assert.ok(facts !== undefined);
  if (facts !== undefined) assert.deepEqual(transportNames(facts), ["WebSocket", "server-sent events"]);
});

test("links lead to pages that were built and have something behind them", () => {
  const facts = parseFacts('{"version":"1","admin":false,"api":true,"development":false}');
  assert.deepEqual([...pagesOf("admin channel console reference", facts)], ["console", "reference"]);
  assert.deepEqual([...pagesOf("admin console", undefined)], ["admin", "console"]);
});
