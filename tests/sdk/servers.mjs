// SPDX-License-Identifier: Apache-2.0
// What a case needs besides its clients: servers, and backends that these ask. They are processes and sockets of Node
// also where the clients live in a browser.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const startSeconds = 10;
const keptOfLog = 20_000; // characters

export class Servers {
  #files = 0;
  #processes = new Set();
  #backends = new Set();

  // `folder` holds what a server writes; `cert` and `key` are what it shows.
  constructor({ binary, folder, cert, key }) {
    this.binary = binary;
    this.folder = folder;
    this.certificate = ['--cert', cert, '--key', key];
    process.once('exit', () => { for (const child of this.#processes) child.kill('SIGKILL'); }); // also when a run is cut short
  }

  // `database` names a file of the durable engine: the same name, the same messages.
  async start(config, { port = 0, database } = {}) {
    const file = path.join(this.folder, `config-${this.#files += 1}.json`);
    writeFileSync(file, JSON.stringify(config));
    const engine = database ? ['--engine', `sqlite:${path.join(this.folder, database)}`] : [];
    const child = spawn(this.binary, ['serve', '--config', file, '--listen', `localhost:${port}`, ...this.certificate, ...engine],
      { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#processes.add(child);
    let errors = '';
    child.stderr.on('data', (text) => { errors = (errors + text).slice(-keptOfLog); });
    const url = await listening(child, () => errors);
    return { url, errors: async () => errors, end: (signal) => this.#end(child, signal) };
  }

  // Every POST is put to `answer`, which is given its path, its fields and its text, and says what to answer.
  async backend(answer) {
    const server = http.createServer((request, response) => {
      let text = '';
      request.on('data', (piece) => { text += piece; });
      request.on('end', async () => {
        const body = await answer({ path: request.url, headers: request.headers, text });
        response.writeHead(body === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
        response.end(JSON.stringify(body ?? {}));
      });
    });
    await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    this.#backends.add(server);
    return `http://127.0.0.1:${server.address().port}`;
  }

  async endAll() {
    for (const server of this.#backends) {
      server.close();
      server.closeAllConnections();
    }
    this.#backends.clear();
    for (const child of this.#processes) await this.#end(child, 'SIGKILL');
  }

  async #end(child, signal) {
    this.#processes.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => { child.once('exit', resolve); });
    child.kill(signal);
    await gone;
  }
}

// The address that it tells, or why there is none.
function listening(child, errors) {
  return new Promise((resolve, reject) => {
    let said = '';
    const late = setTimeout(() => reject(new Error(`the server does not listen after ${startSeconds} s: ${errors()}`)), startSeconds * 1000);
    const done = (settle, value) => { clearTimeout(late); settle(value); };
    child.once('error', (error) => done(reject, error));
    child.once('exit', (code) => done(reject, new Error(`the server ended with ${code}: ${errors()}`)));
    child.stdout.on('data', (text) => {
      said += text;
      const url = /listening on (\S+)/.exec(said)?.[1];
      if (url) done(resolve, url);
    });
  });
}
