// SPDX-License-Identifier: Apache-2.0
// A server for the chat that can be killed and started again at the same place, with the example's backend or without.
import { mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Process } from "../processes.js";

export class ChatServer {
  static async start(fairlead, how = {}) {
    const chat = new ChatServer();
    chat.fairlead = fairlead;
    chat.how = how;
    chat.server = await fairlead.serve(how);
    return chat;
  }

  // The backend calls the server and the server calls the backend, so the server's port is chosen first.
  static async startWithBackend(fairlead, directory, how = {}) {
    const port = how.port ?? (await freePort());
    const secrets = { FAIRLEAD_HTTP_API_KEY: "key of the browser tests", FAIRLEAD_RPC_PROXY_SIGNING_SECRET: "signed by the browser tests" };
    const env = { CHAT_API_KEY: secrets.FAIRLEAD_HTTP_API_KEY, CHAT_SIGNING_SECRET: secrets.FAIRLEAD_RPC_PROXY_SIGNING_SECRET };
    mkdirSync(directory, { recursive: true });
    const database = join(directory, "backend.db");
    rmSync(database, { force: true });
    const backend = new Process("/usr/bin/python3", ["examples/chat/backend.py", "--listen", "127.0.0.1:0", "--database", database,
      "--api", `https://localhost:${port}/api`, "--ca", fairlead.ca], { env });
    const [, endpoint] = await backend.says(/listening on (\S+)/);
    const asked = { FAIRLEAD_RPC_PROXY_ENDPOINT: endpoint, FAIRLEAD_RPC_WITHOUT_NAMESPACE_PROXY_ENABLED: "true", FAIRLEAD_ATTACHMENTS_ENABLED: "true" };
    const chat = await ChatServer.start(fairlead, { ...how, port, env: { ...secrets, ...asked, ...how.env } });
    chat.backend = backend;
    return chat;
  }

  get host() {
    return this.server.host;
  }
  get process() {
    return this.server.process;
  }
  // Without a word to anybody.
  kill() {
    return this.server.kill();
  }
  async restart() {
    this.server = await this.fairlead.serve({ ...this.how, port: this.server.port });
  }
  async stop() {
    await this.server.stop();
    await this.backend?.stop();
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().on("error", reject).listen(0, "localhost", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
