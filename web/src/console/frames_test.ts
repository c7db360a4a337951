// SPDX-License-Identifier: Apache-2.0
// Frames of both formats are told in the same words, whatever the pieces in which a stream brings them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChannelNumbers, StreamCutter, emulatedCommands, probeMethod, readFrame } from "./frames.ts";

const text = (value: string): number[] => [...new TextEncoder().encode(value)];
const field = (number: number, bytes: number[]): number[] => [number * 8 + 2, bytes.length, ...bytes];
const framed = (...messages: number[][]): Uint8Array => Uint8Array.from(messages.flatMap((message) => [message.length, ...message]));

test("a text frame is told by its messages", () => {
  const frame = readFrame("out", '{"id":1,"connect":{"name":"js"}}\n{"id":2,"subscribe":{"channel":"news"}}\n', 5);
  assert.equal(frame.title, "connect, subscribe news");
  assert.deepEqual(frame.ids, [1, 2]);
  assert.equal(frame.bytes, 73);
});

test("a binary frame is told the same way", () => {
  const connect = [8, 1, ...field(4, field(4, text("js")))];
  const subscribe = [8, 2, ...field(5, field(1, text("news")))];
  const frame = readFrame("out", framed(connect, subscribe), 5);
  assert.equal(frame.title, "connect, subscribe news");
  assert.deepEqual(frame.ids, [1, 2]);
});

test("pushes name their channel and offset, in both formats", () => {
  assert.equal(readFrame("in", '{"push":{"channel":"news","pub":{"data":{},"offset":7}}}', 0).title, "publication news #7");
  const push = field(4, [...field(2, text("news")), ...field(4, [...field(4, text('{"a":1}')), 48, 7, 64, 1])]);
  const frame = readFrame("in", framed(push), 0);
  assert.equal(frame.title, "publication news #7 (delta)");
  assert.ok(frame.text.includes('"a": 1'));
});

test("a channel that is pushed by its number is told by its name", () => {
  const numbers = new ChannelNumbers();
  const push = '{"push":{"id":4,"pub":{"data":{}}}}';
  assert.equal(readFrame("in", push, 0, numbers).title, "publication channel 4");
  readFrame("out", '{"id":2,"subscribe":{"channel":"news"}}', 0, numbers);
  readFrame("in", '{"id":2,"subscribe":{"id":4}}', 0, numbers);
  assert.equal(readFrame("in", push, 0, numbers).title, "publication news");
  numbers.forget();
  assert.equal(readFrame("in", push, 0, numbers).title, "publication channel 4");
});

test("pings are quiet and errors are told", () => {
  assert.equal(readFrame("in", "{}", 0).quiet, true);
  assert.equal(readFrame("in", Uint8Array.of(0), 0).title, "ping");
  assert.equal(readFrame("in", '{"id":3,"error":{"code":103,"message":"permission denied"}}', 0).title, "error 103 permission denied");
});

test("latency probes are known by their method", () => {
  assert.deepEqual(readFrame("out", `{"id":9,"rpc":{"method":"${probeMethod}"}}`, 0).probes, [9]);
  assert.deepEqual(readFrame("out", '{"id":9,"rpc":{"method":"other"}}', 0).probes, []);
});

test("what cannot be read is shown as it is", () => {
  assert.equal(readFrame("in", "<html>", 0).title, "not understood");
  assert.equal(readFrame("in", Uint8Array.of(9, 8), 0).text, "09 08");
  assert.equal(readFrame("in", Uint8Array.of(2, 7, 7), 0).title, "not understood");
});

test("a stream is cut the same way for any split of it", () => {
  const lines = new TextEncoder().encode('{"id":1,"connect":{}}\n{"push":{"channel":"ñ"}}\n');
  const binary = framed([8, 1], [8, 2, 42, 0]);
  for (const [bytes, isBinary, wanted] of [[lines, false, 2], [binary, true, undefined]] as const) {
    for (let at = 0; at <= bytes.length; at += 1) {
      const cutter = new StreamCutter(isBinary);
      const parts = [...cutter.push(bytes.subarray(0, at)), ...cutter.push(bytes.subarray(at))];
      const ids = parts.flatMap((part) => readFrame("in", part, 0).ids);
      if (wanted === undefined) assert.deepEqual(ids, [1, 2]);
      else assert.equal(parts.length, wanted);
    }
  }
});

test("the commands within an emulated request are found", () => {
  assert.equal(emulatedCommands('{"session":"s","node":"n","data":"{}"}'), "{}");
  assert.deepEqual(emulatedCommands(Uint8Array.from([...field(1, text("n")), ...field(3, [1, 2])])), Uint8Array.of(1, 2));
  for (const body of ["{", "[]", Uint8Array.of(10, 200)]) assert.equal(emulatedCommands(body), undefined);
});
