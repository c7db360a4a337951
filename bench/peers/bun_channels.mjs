// SPDX-License-Identifier: Apache-2.0
// The peer `bun` for channels: Bun.serve's publish over topics. A client sends a letter and a topic: s(ubscribe),
// u(nsubscribe), p(ublish) with the payload behind a space; the letter comes back as the answer, publications come as
// they are. A backend posts what it would post to `fairlead serve`.
import { options, announce } from "./options.mjs";

const { port, cert, key } = options();

const commands = {
  h: () => {},
  s: (ws, topic) => ws.subscribe(topic),
  u: (ws, topic) => ws.unsubscribe(topic),
  p: (ws, rest) => {
    const end = rest.indexOf(" ");
    server.publish(rest.slice(0, end), rest.slice(end + 1));
  },
};

async function api(request, path) {
  const body = await request.json();
  const publications = path === "/api/batch" ? body.commands.map((command) => command.publish) : [body];
  for (const { channel, data } of publications) server.publish(channel, JSON.stringify(data));
  return Response.json({});
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port,
  tls: { cert: Bun.file(cert), key: Bun.file(key) },
  fetch(request, self) {
    const path = new URL(request.url).pathname;
    if (path.startsWith("/api/")) return api(request, path);
    return self.upgrade(request) ? undefined : new Response("upgrade required", { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    idleTimeout: 0,
    maxPayloadLength: 16 * 1024 * 1024,
    backpressureLimit: 64 * 1024 * 1024,
    message(ws, message) {
      const command = message[0];
      commands[command]?.(ws, message.slice(1));
      ws.send(command);
    },
  },
});

announce(server.port);
