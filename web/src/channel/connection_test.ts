// SPDX-License-Identifier: Apache-2.0
// The life of a connection that comes back, with an injected socket and clock: no network, no waiting.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "./connection.ts";
import type { Phase, Socket, World } from "./connection.ts";

class ScriptedSocket implements Socket {
  readonly protocol = "p";
  readonly extensions = "e";
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string; wasClean: boolean }) => void) | null = null;
  readonly sent: string[] = [];
  letGo = false;

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  end(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code, reason: "", wasClean: code !== 1006 });
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.letGo = true;
  }
}

class ScriptedWorld implements World {
  readonly sockets: ScriptedSocket[] = [];
  readonly phases: Phase[] = [];
  readonly heard: string[] = [];
  private nowMs = 0;
  private timers: { atMs: number; action: () => void }[] = [];
  readonly connection = new Connection("wss://x/", "p", {
    phase: (phase) => this.phases.push(phase),
    open: (protocol, extensions) => this.heard.push(`open ${protocol} ${extensions}`),
    text: (text) => this.heard.push(text),
  }, this);

  connect(): Socket {
    const socket = new ScriptedSocket();
    this.sockets.push(socket);
    return socket;
  }
  now = () => this.nowMs;
  random = () => 0;
  later(action: () => void, delayMs: number): () => void {
    const timer = { atMs: this.nowMs + delayMs, action };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }
  pass(ms: number): void {
    this.nowMs += ms;
    const due = this.timers.filter((timer) => timer.atMs <= this.nowMs);
    this.timers = this.timers.filter((timer) => timer.atMs > this.nowMs);
    for (const timer of due) timer.action();
  }
  get kinds(): string[] {
    return this.phases.map((phase) => phase.kind);
  }
  get socket(): ScriptedSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("nothing has connected");
    return socket;
  }
}

test("it connects, opens, hears and speaks", () => {
  const world = new ScriptedWorld();
  assert.equal(world.connection.send("too early"), false);
  world.connection.start();
  assert.equal(world.connection.send("still too early"), false);
  world.socket.open();
  world.socket.onmessage?.({ data: "hello" });
  world.socket.onmessage?.({ data: new Uint8Array(1) });
  assert.equal(world.connection.send("hi"), true);
  assert.deepEqual(world.socket.sent, ["hi"]);
  assert.deepEqual(world.heard, ["open p e", "hello"]);
  assert.deepEqual(world.kinds, ["connecting", "open"]);
});

test("after a close it waits, then connects again, and says why", () => {
  const world = new ScriptedWorld();
  world.connection.start();
  world.socket.open();
  world.socket.end(1012);
  assert.deepEqual(world.phases.at(-1), { kind: "waiting", after: { code: 1012, reason: "", clean: true }, untilMs: 1_000 });
  world.pass(999);
  assert.equal(world.sockets.length, 1);
  world.pass(1);
  assert.equal(world.sockets.length, 2);
  assert.deepEqual(world.kinds, ["connecting", "open", "waiting", "connecting"]);
});

test("a code that would repeat itself stops it until somebody asks", () => {
  const world = new ScriptedWorld();
  world.connection.start();
  world.socket.end(1008);
  world.pass(3_600_000);
  assert.equal(world.sockets.length, 1);
  assert.equal(world.kinds.at(-1), "stopped");
  world.connection.retryNow();
  assert.equal(world.sockets.length, 2);
});

test("asking again cuts the wait short and leaves no second attempt behind", () => {
  const world = new ScriptedWorld();
  world.connection.start();
  world.socket.end(1013);
  world.connection.retryNow();
  world.connection.retryNow();
  assert.equal(world.sockets.length, 2);
  world.socket.open();
  world.pass(60_000);
  assert.equal(world.sockets.length, 2);
});

test("an attempt without an answer is given up", () => {
  const world = new ScriptedWorld();
  world.connection.start();
  world.pass(15_000);
  assert.equal(world.socket.letGo, true);
  assert.equal(world.kinds.at(-1), "waiting");
  world.sockets[0]?.end(1006); // the late answer of a socket that was let go changes nothing
  assert.equal(world.kinds.length, 2);
});

test("an open connection is not cut by the limit for connecting", () => {
  const world = new ScriptedWorld();
  world.connection.start();
  world.socket.open();
  world.pass(60_000);
  assert.equal(world.kinds.at(-1), "open");
});
