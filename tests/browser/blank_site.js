// SPDX-License-Identifier: Apache-2.0
// An empty page at an origin of its own, without a policy: from there a test may open any WebSocket it likes, and a
// server can see a foreign Origin.
import http from "node:http";
import https from "node:https";
import { readFileSync } from "node:fs";

const page = '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>blank</title>';

export class BlankSite {
  static secure({ leaf, key }) {
    return BlankSite.#listen(https.createServer({ cert: readFileSync(leaf), key: readFileSync(key) }), "https");
  }
  static plain() {
    return BlankSite.#listen(http.createServer(), "http");
  }

  static #listen(server, scheme) {
    server.on("request", (_, response) => response.setHeader("Content-Type", "text/html; charset=utf-8").end(page));
    return new Promise((resolve, reject) => {
      server.on("error", reject);
      server.listen(0, "localhost", () => resolve(new BlankSite(server, `${scheme}://localhost:${server.address().port}`)));
    });
  }

  constructor(server, origin) {
    this.server = server;
    this.origin = origin;
    this.url = `${origin}/`;
  }
  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
