// SPDX-License-Identifier: Apache-2.0
// A description becomes methods with fields; references are followed once, and nonsense becomes nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readDescription, typeText } from "./description.ts";

const reference = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
const document = {
  info: { title: "An API", description: "What it does." },
  paths: { "/publish": { post: { operationId: "publish", summary: "Publish" } }, "/nothing": { get: {} } },
  components: {
    securitySchemes: { key: { in: "header", name: "X-API-Key" }, query: { in: "query", name: "api_key" } },
    schemas: {
      Request_publish: {
        required: ["channel"],
        properties: { channel: { type: "string", description: "Its name." }, limit: { type: "integer", minimum: 0, maximum: 9 } },
      },
      Result_publish: reference("Position"),
      Position: { description: "A place.", properties: { offset: { type: "integer" } } },
      Command: { properties: { publish: reference("Request_publish") } },
    },
  },
};

test("a method has the fields of its request and of its result, through a reference", () => {
  const { methods } = readDescription(document);
  assert.equal(methods.length, 1);
  assert.deepEqual(methods[0]?.request, [
    { name: "channel", type: "string", required: true, text: "Its name." },
    { name: "limit", type: "integer", required: false, text: "0 to 9." },
  ]);
  assert.deepEqual(methods[0]?.result.map((field) => field.name), ["offset"]);
});

test("objects are those that are neither requests nor results", () => {
  assert.deepEqual(readDescription(document).objects.map((object) => object.name), ["Position"]);
});

test("keys are shown as they are sent", () => {
  assert.deepEqual(readDescription(document).keys, ["X-API-Key: KEY", "?api_key=KEY"]);
});

test("types are said in words", () => {
  assert.equal(typeText({ type: "array", items: reference("Event") }), "Event[]");
  assert.equal(typeText({ type: "object", additionalProperties: { type: "string" } }), "{ name: string }");
  assert.equal(typeText({ description: "Any JSON value" }), "any");
});

test("nonsense is an empty description", () => {
  assert.deepEqual(readDescription({ paths: 7, components: [] }), { title: "", text: "", keys: [], methods: [], objects: [] });
});
