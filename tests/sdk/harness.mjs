// SPDX-License-Identifier: Apache-2.0
// A server to talk to, clients of each kind, and waiting for what they hear. Everything that a case starts ends with it.
// The same for Node and for pages of browsers: what differs is in `platform.mjs`.
import { Centrifuge } from 'centrifuge';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import { endAll, post, sockets, startBackend, startServer } from './platform.mjs';

export const all = [];
export const test = (name, body, seconds = 30) => all.push({ name, body, seconds });
const clients = new Set();
export const secret = 'a secret of the tests, long enough for HS256';
export const apiKey = 'key of the tests';

export async function tearDown() {
  for (const client of clients) client.disconnect();
  clients.clear();
  await endAll();
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

export class Fairlead {
  constructor(running) {
    this.running = running;
    this.url = running.url;
    this.port = Number(new URL(running.url).port);
  }
  static async start(config = configuration(), options = {}) {
    return new Fairlead(await startServer(config, options));
  }
  kill() { return this.running.end('SIGKILL'); }
  stop() { return this.running.end('SIGTERM'); }
  errors() { return this.running.errors(); }
  async api(method, body, key = apiKey) {
    const answer = await post(`${this.url}api/${method}`, { 'X-API-Key': key, 'Content-Type': 'application/json' }, JSON.stringify(body));
    if (answer.status !== 200) throw new Error(`${method}: ${answer.status}`);
    return JSON.parse(answer.text);
  }
  async publish(channel, data, more = {}) {
    const { result, error } = await this.api('publish', { channel, data, ...more });
    if (error) throw new Error(`publish: ${JSON.stringify(error)}`);
    return result;
  }
}

// ── A backend ───────────────────────────────────────────────────────────────────────────────────────────────────────
// Answers POSTs: `answers` maps a path to a function of the request's body (and headers).
export async function backend(answers) {
  const asked = [];
  const url = await startBackend(async ({ path, headers, text }) => {
    const body = text ? JSON.parse(text) : null;
    asked.push({ path, body, headers, text });
    return answers[path]?.(body, headers);
  });
  return { asked, url: (suffix) => url + suffix };
}

// ── Clients ─────────────────────────────────────────────────────────────────────────────────────────────────────────
const bytes = (text) => new TextEncoder().encode(text);
const base64url = (data) => btoa(String.fromCharCode(...data)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
export async function hmac(key, text) {
  const made = await crypto.subtle.importKey('raw', bytes(key), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', made, bytes(text)));
}
export const hex = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('');
export async function token(claims, key = secret) {
  const part = (value) => base64url(bytes(JSON.stringify(value)));
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${body}.${base64url(await hmac(key, body))}`;
}
export const soon = (seconds) => Math.floor(Date.now() / 1000) + seconds;

const common = { minReconnectDelay: 50, maxReconnectDelay: 300, ...sockets };
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
  clients.add(made);
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
export const decoded = (data) => (data instanceof Uint8Array ? JSON.parse(new TextDecoder().decode(data)) : data);
export const payload = (kind, value) => (kind.endsWith('protobuf') ? bytes(JSON.stringify(value)) : value);
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
