// SPDX-License-Identifier: Apache-2.0
// A server to talk to, clients of each kind, and waiting for what they hear. Everything that a case starts ends with it.
import { Centrifuge } from 'centrifuge';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';

export const all = [];
export const test = (name, body, seconds = 30) => all.push({ name, body, seconds });
const open = { processes: new Set(), clients: new Set(), servers: new Set() };
export const folder = process.env.SDK_TEST_FOLDER;
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const binary = path.resolve(process.env.FAIRLEAD || path.join(root, 'build/release/fairlead'));
export const secret = 'a secret of the tests, long enough for HS256';
export const apiKey = 'key of the tests';

export async function setUp() {}
export async function tearDown() {
  for (const client of open.clients) client.disconnect();
  for (const server of open.servers) server.close();
  for (const child of open.processes) await end(child, 'SIGKILL');
  open.clients.clear();
  open.servers.clear();
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export async function until(what, condition, seconds = 10) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s for ${what}`);
    await sleep(10);
  }
}

// ── The server ──────────────────────────────────────────────────────────────────────────────────────────────────────
const merge = (base, more) => {
  for (const [key, value] of Object.entries(more)) {
    const deep = value && typeof value === 'object' && !Array.isArray(value) && base[key];
    base[key] = deep ? merge({ ...base[key] }, value) : value;
  }
  return base;
};
export const configuration = (more = {}) => merge({
  client: { token: { hmac_secret_key: secret }, allow_anonymous_connect_without_token: true },
  http_api: { key: apiKey },
  http_stream: { enabled: true },
  sse: { enabled: true },
  uni_websocket: { enabled: true },
  uni_sse: { enabled: true },
  uni_http_stream: { enabled: true },
  channel: {
    without_namespace: {
      presence: true, join_leave: true, force_push_join_leave: true, history_size: 100, history_ttl: '300s',
      force_recovery: true, allow_subscribe_for_client: true, allow_subscribe_for_anonymous: true,
      allow_publish_for_client: true, allow_publish_for_anonymous: true, allow_history_for_client: true,
      allow_history_for_anonymous: true, allow_presence_for_client: true, allow_presence_for_anonymous: true,
      allow_tags_filter: true, allowed_delta_types: ['fossil'], delta_publish: true,
    },
    namespaces: [{ name: 'closed', history_size: 10, history_ttl: '300s' }],
  },
}, more);

let files = 0;
export class Fairlead {
  constructor(child, url) {
    this.child = child;
    this.url = url;
    this.port = Number(new URL(url).port);
  }
  static async start(config = configuration(), { port = 0, words = [] } = {}) {
    const file = path.join(folder, `config-${files += 1}.json`);
    writeFileSync(file, JSON.stringify(config));
    const child = spawn(binary, ['serve', '--config', file, '--listen', `localhost:${port}`, '--cert', path.join(folder, 'cert.pem'),
      '--key', path.join(folder, 'key.pem'), ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    open.processes.add(child);
    let said = '';
    let errors = '';
    child.stdout.on('data', (text) => { said += text; });
    child.stderr.on('data', (text) => { errors = (errors + text).slice(-20000); });
    const url = await until('the server to listen', () => {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${errors}`);
      return /listening on (\S+)/.exec(said)?.[1];
    });
    const server = new Fairlead(child, url);
    server.errors = () => errors;
    return server;
  }
  kill() { return end(this.child, 'SIGKILL'); }
  stop() { return end(this.child, 'SIGTERM'); }
  async api(method, body, key = apiKey) {
    const answer = await fetch(new URL(`/api/${method}`, this.url), {
      method: 'POST', headers: { 'X-API-Key': key, 'Content-Type': 'application/json' }, body: JSON.stringify(body),
    });
    if (answer.status !== 200) throw new Error(`${method}: ${answer.status}`);
    return answer.json();
  }
  async publish(channel, data, more = {}) {
    const { result, error } = await this.api('publish', { channel, data, ...more });
    if (error) throw new Error(`publish: ${JSON.stringify(error)}`);
    return result;
  }
}
async function end(child, signal) {
  open.processes.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => { child.once('exit', resolve); });
  child.kill(signal);
  await gone;
}

// ── A backend ───────────────────────────────────────────────────────────────────────────────────────────────────────
// Answers POSTs: `answers` maps a path to a function of the request's body (and headers).
export async function backend(answers) {
  const asked = [];
  const server = http.createServer((request, response) => {
    let text = '';
    request.on('data', (piece) => { text += piece; });
    request.on('end', async () => {
      const body = text ? JSON.parse(text) : null;
      asked.push({ path: request.url, body, headers: request.headers, text });
      const answer = await answers[request.url]?.(body, request.headers);
      response.writeHead(answer === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(answer ?? {}));
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  open.servers.add(server);
  return { asked, url: (suffix) => `http://127.0.0.1:${server.address().port}${suffix}` };
}

// ── Clients ─────────────────────────────────────────────────────────────────────────────────────────────────────────
const base64url = (text) => Buffer.from(text).toString('base64url');
export function token(claims, key = secret) {
  const body = `${base64url(JSON.stringify({ alg: 'HS256', typ: 'JWT' }))}.${base64url(JSON.stringify(claims))}`;
  return `${body}.${createHmac('sha256', key).update(body).digest('base64url')}`;
}
export const soon = (seconds) => Math.floor(Date.now() / 1000) + seconds;

const common = { minReconnectDelay: 50, maxReconnectDelay: 300, WebSocket, websocket: WebSocket, fetch, readableStream: ReadableStream, eventsource: EventSource };
export const kinds = {
  'websocket json': (server, options) => new Centrifuge(`wss://localhost:${server.port}/connection/websocket`, { ...common, ...options }),
  'websocket protobuf': (server, options) => new ProtobufCentrifuge(`wss://localhost:${server.port}/connection/websocket`, { ...common, ...options }),
  'http_stream json': (server, options) => new Centrifuge([{ transport: 'http_stream', endpoint: `${server.url}connection/http_stream` }],
    { ...common, emulationEndpoint: `${server.url}emulation`, ...options }),
  'http_stream protobuf': (server, options) => new ProtobufCentrifuge([{ transport: 'http_stream', endpoint: `${server.url}connection/http_stream` }],
    { ...common, emulationEndpoint: `${server.url}emulation`, ...options }),
  'sse json': (server, options) => new Centrifuge([{ transport: 'sse', endpoint: `${server.url}connection/sse` }],
    { ...common, emulationEndpoint: `${server.url}emulation`, ...options }),
};
export function client(server, options = {}, kind = 'websocket json') {
  const made = kinds[kind](server, options);
  open.clients.add(made);
  made.on('error', () => {});  // each case looks at what it expects
  return made;
}
export async function connected(server, options = {}, kind = 'websocket json') {
  const made = client(server, options, kind);
  made.connect();
  await made.ready(10000);
  return made;
}
// In either format data is what JSON.parse gives: Protobuf's bytes are decoded.
export const decoded = (data) => (data instanceof Uint8Array ? JSON.parse(Buffer.from(data).toString('utf8')) : data);
export const payload = (kind, value) => (kind.endsWith('protobuf') ? Buffer.from(JSON.stringify(value)) : value);
export function listening(made, channel, options = {}) {
  const sub = made.newSubscription(channel, options);
  sub.heard = [];
  sub.contexts = [];
  sub.on('publication', (context) => { sub.heard.push(decoded(context.data)); });
  sub.on('subscribed', (context) => { sub.contexts.push(context); });
  sub.on('error', () => {});
  sub.subscribe();
  return sub;
}
export async function subscribed(made, channel, options = {}) {
  const sub = listening(made, channel, options);
  await sub.ready(10000);
  return sub;
}
