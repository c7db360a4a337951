// SPDX-License-Identifier: Apache-2.0
// Node's `ws` as a peer in either role; what to do comes as JSON in the first argument, what happened goes out as JSON.
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { WebSocket, WebSocketServer } from "ws";

const plan = JSON.parse(process.argv[2]);
const limit = 80 * 1024 * 1024;
const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");
const say = (thing) => process.stdout.write(JSON.stringify(thing) + "\n");

function deflate() {
  return plan.deflate ? { threshold: 0, ...(plan.deflate === true ? {} : plan.deflate) } : false;
}

function serve() {
  const server = createServer({ cert: readFileSync(plan.cert), key: readFileSync(plan.key) });
  const sockets = new WebSocketServer({ server, perMessageDeflate: deflate(), maxPayload: limit });
  sockets.on("connection", (socket) => {
    socket.on("message", (data, binary) => socket.send(data, { binary }));
    socket.on("close", (code, reason) => say({ closed: code, reason: String(reason) }));
    socket.on("error", (error) => say({ error: error.message }));
  });
  server.listen(0, "127.0.0.1", () => say({ port: server.address().port }));
}

// Text is letters, so that it is one line for a peer that reads lines.
function payload(size, text) {
  return text ? randomBytes(Math.ceil(size / 2)).toString("hex").slice(0, size) : randomBytes(size);
}

function echoed(socket, size, text) {
  return new Promise((resolve, reject) => {
    const sent = payload(size, text);
    socket.once("message", (data, binary) => {
      if (binary === text) reject(new Error(`kind changed at ${size} bytes`));
      if (hash(data) !== hash(sent)) reject(new Error(`hash changed at ${size} bytes`));
      resolve();
    });
    socket.send(sent, { binary: !text });
  });
}

function ponged(socket) {
  return new Promise((resolve) => {
    const began = performance.now();
    socket.once("pong", (data) => resolve({ pong: String(data), ms: performance.now() - began }));
    socket.ping("from node");
  });
}

function inFragments(socket) {
  return new Promise((resolve, reject) => {
    socket.once("message", (data) => (String(data) === "frag–ment–ed" ? resolve() : reject(new Error("fragments"))));
    socket.send("frag–", { fin: false });
    socket.ping();
    socket.send("ment–", { fin: false });
    socket.send("ed", { fin: true });
  });
}

async function connect() {
  const options = { ca: readFileSync(plan.ca), perMessageDeflate: deflate(), maxPayload: limit };
  const socket = new WebSocket(plan.url, plan.subprotocols ?? [], options);
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  for (const size of plan.sizes) {
    await echoed(socket, size, true);
    await echoed(socket, size, false);
  }
  await inFragments(socket);
  const { pong } = await ponged(socket);
  const closed = new Promise((resolve) => socket.once("close", (code, reason) => resolve([code, String(reason)])));
  socket.close(plan.code ?? 1000, plan.reason ?? "done");
  const [code, reason] = await closed;
  say({ ok: true, pong, code, reason, extensions: socket.extensions, protocol: socket.protocol });
}

if (plan.role === "server") serve();
else connect().catch((error) => { say({ ok: false, error: error.message }); process.exitCode = 1; });
