// SPDX-License-Identifier: Apache-2.0
// A site with one page, which runs the SDK's cases, and what a page cannot do itself: start and kill servers, be a
// backend, and call the HTTP API, which is no page's business.
import https from "node:https";
import { readFileSync } from "node:fs";
import { build } from "esbuild";
import { Servers } from "../../sdk/servers.mjs";

const page = '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>SDK</title><script src="/cases.js"></script>';

// The cases as they are, with a page's platform below them.
async function bundle() {
  const here = (name) => new URL(name, import.meta.url).pathname;
  const instead = { "./platform.mjs": here("platform.js"), "node:assert/strict": here("assert.js") };
  const plugin = {
    name: "platform",
    setup: ({ onResolve }) => onResolve({ filter: /^(\.\/platform\.mjs|node:assert\/strict)$/ }, ({ path }) => ({ path: instead[path] })),
  };
  const built = await build({ entryPoints: [here("page.js")], bundle: true, write: false, format: "iife", target: "es2022", platform: "browser", logLevel: "silent", plugins: [plugin] });
  return built.outputFiles[0].text;
}

export class SdkSite {
  #running = new Map(); // servers by their number
  #backends = new Map(); // by their number: { asked: questions that nobody took, takers: pages that wait for one }
  #answers = new Map(); // by the number of the question
  #numbers = 0;

  static async start({ binary, folder, ca, leaf, key }) {
    const site = new SdkSite();
    site.ca = readFileSync(ca);
    site.servers = new Servers({ binary, folder, cert: leaf, key });
    const script = await bundle();
    site.http = https.createServer({ cert: readFileSync(leaf), key: readFileSync(key) }, (request, response) => {
      if (request.method === "POST") void site.#control(request, response);
      else if (request.url === "/cases.js") response.setHeader("Content-Type", "text/javascript; charset=utf-8").end(script);
      else response.setHeader("Content-Type", "text/html; charset=utf-8").end(page);
    });
    await new Promise((resolve) => site.http.listen(0, "localhost", resolve));
    site.url = `https://localhost:${site.http.address().port}/`;
    return site;
  }

  async stop() {
    await this.#endAll();
    this.http.closeAllConnections();
    this.http.close();
  }

  async #control(request, response) {
    let text = "";
    for await (const piece of request) text += piece;
    const { what, ...call } = JSON.parse(text);
    const answer = await this.#calls[what](call).then((value) => ({ value }), (error) => ({ error: String(error?.message ?? error) }));
    response.setHeader("Content-Type", "application/json").end(JSON.stringify(answer));
  }

  #calls = {
    start: async ({ config, options }) => {
      const running = await this.servers.start(config, options);
      this.#running.set(this.#numbers += 1, running);
      return { id: this.#numbers, url: running.url };
    },
    errors: ({ id }) => this.#running.get(id).errors(),
    end: ({ id, signal }) => this.#running.get(id).end(signal),
    post: ({ url, headers, body }) => this.#post(url, headers, body),
    backend: async () => {
      const id = this.#numbers += 1;
      this.#backends.set(id, { asked: [], takers: [] });
      return { id, url: await this.servers.backend((question) => this.#asked(id, question)) };
    },
    question: async ({ id }) => {
      const backend = this.#backends.get(id);
      return backend && (backend.asked.shift() ?? new Promise((resolve) => backend.takers.push(resolve)));
    },
    answer: async ({ number, body }) => this.#answers.get(number)?.(body),
    endAll: () => this.#endAll(),
  };

  // Node's fetch cannot be told of a CA while it runs.
  #post(url, headers, body) {
    return new Promise((resolve, reject) => {
      const request = https.request(url, { method: "POST", headers, ca: this.ca, timeout: 10_000 }, async (response) => {
        let text = "";
        for await (const piece of response.setEncoding("utf8")) text += piece;
        resolve({ status: response.statusCode, text });
      });
      request.on("error", reject).end(body);
    });
  }

  #asked(id, question) {
    const number = this.#numbers += 1;
    const backend = this.#backends.get(id);
    const taker = backend.takers.shift();
    if (taker) taker({ ...question, number });
    else backend.asked.push({ ...question, number });
    return new Promise((resolve) => this.#answers.set(number, resolve));
  }

  async #endAll() {
    for (const { takers } of this.#backends.values()) for (const taker of takers) taker(null);
    for (const answer of this.#answers.values()) answer(undefined);
    this.#backends.clear();
    this.#answers.clear();
    this.#running.clear();
    await this.servers.endAll();
  }
}
