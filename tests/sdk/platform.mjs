// SPDX-License-Identifier: Apache-2.0
// Where the cases run: in Node. tests/browser/sdk/platform.js is the same for a page of a browser.
import { webcrypto } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { Servers } from './servers.mjs';

globalThis.crypto ??= webcrypto; // Node.js 18 has it by its name alone

const folder = process.env.SDK_TEST_FOLDER;
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const servers = new Servers({
  binary: path.resolve(process.env.FAIRLEAD || path.join(root, 'build/release/fairlead')),
  folder, cert: path.join(folder, 'cert.pem'), key: path.join(folder, 'key.pem'),
});

export const startServer = (config, options) => servers.start(config, options);
export const startBackend = (answer) => servers.backend(answer);
export const endAll = () => servers.endAll();
export async function post(url, headers, body) {
  const answer = await fetch(url, { method: 'POST', headers, body });
  return { status: answer.status, text: await answer.text() };
}
// What browsers have and the SDK has to be given elsewhere.
export const sockets = { WebSocket, websocket: WebSocket, fetch, readableStream: ReadableStream, eventsource: EventSource };
