// SPDX-License-Identifier: Apache-2.0
// The peer `bun`: Bun.serve's WebSocket server (uWebSockets over BoringSSL), with the behaviour that every peer has:
// /echo answers each message as its own kind, /fanout sends each message to all connections on that path.
import { options, announce } from "./options.mjs";

const { port, cert, key, compress } = options();

const server = Bun.serve({
  hostname: "127.0.0.1",
  port,
  tls: { cert: Bun.file(cert), key: Bun.file(key) },
  fetch(request, self) {
    const path = new URL(request.url).pathname;
    if (path !== "/echo" && path !== "/fanout") return new Response("not found", { status: 404 });
    return self.upgrade(request, { data: path }) ? undefined : new Response("upgrade required", { status: 426 });
  },
  websocket: {
    perMessageDeflate: compress,
    idleTimeout: 0,
    maxPayloadLength: 16 * 1024 * 1024,
    backpressureLimit: 64 * 1024 * 1024,
    open(ws) {
      if (ws.data === "/fanout") ws.subscribe("fanout");
    },
    message(ws, message) {
      if (ws.data === "/fanout") server.publish("fanout", message, compress);
      else ws.send(message, compress);
    },
  },
});

announce(server.port);
