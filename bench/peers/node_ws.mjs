// SPDX-License-Identifier: Apache-2.0
// The peer `node-ws`: the npm package ws on Node's https server, with the behaviour that every peer has: /echo answers
// each message as its own kind, /fanout sends each message to all connections on that path.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { WebSocketServer } from "ws";
import { options, announce } from "./options.mjs";

const { port, cert, key, compress } = options();

const server = createServer({
  cert: readFileSync(cert),
  key: readFileSync(key),
  ciphers: "TLS_AES_128_GCM_SHA256",
  minVersion: "TLSv1.3",
});
const sockets = new WebSocketServer({
  server,
  perMessageDeflate: compress ? { threshold: 0 } : false,
  maxPayload: 16 * 1024 * 1024,
});
const subscribers = new Set();

function echo(socket) {
  socket.on("message", (data, binary) => socket.send(data, { binary }));
}

function subscribe(socket) {
  subscribers.add(socket);
  socket.on("close", () => subscribers.delete(socket));
  socket.on("message", (data, binary) => {
    for (const subscriber of subscribers) subscriber.send(data, { binary });
  });
}

sockets.on("connection", (socket, request) => {
  socket.on("error", () => socket.terminate());
  if (request.url === "/fanout") subscribe(socket);
  else echo(socket);
});
server.listen(port, "127.0.0.1", 4096, () => announce(server.address().port));
