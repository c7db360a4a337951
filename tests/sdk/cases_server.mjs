// SPDX-License-Identifier: Apache-2.0
// What the server does on its own account: it cuts off, revokes, looks after the silent, keeps the newest, counts what
// happened, and speaks to clients that only listen.
import assert from 'node:assert/strict';
import { Fairlead, client, configuration, connected, kinds, listening, soon, subscribed, test, token, until } from './harness.mjs';
import { sockets } from './platform.mjs';

const strict = (more = {}) => configuration({ client: { allow_anonymous_connect_without_token: false }, ...more });
const Socket = sockets.WebSocket ?? globalThis.WebSocket;
const Events = sockets.eventsource ?? globalThis.EventSource;

for (const kind of Object.keys(kinds)) {
  test(`${kind}: a connection that is cut comes back by itself and recovers`, async () => {
    const server = await Fairlead.start(strict());
    const ada = await connected(server, { token: await token({ sub: 'ada' }) }, kind);
    const a = await subscribed(ada, 'stream');
    await server.publish('stream', { n: 1 });
    await until('the first', () => a.heard.length === 1);
    const codes = [];
    ada.on('connecting', ({ code }) => { codes.push(code); });
    for (let n = 2; n <= 30; n += 1) {
      if (n % 10 === 0) await server.api('disconnect', { user: 'ada', disconnect: { code: 4001, reason: 'cut' } });
      await server.publish('stream', { n });
    }
    await until('all of them', () => a.heard.length >= 30);
    assert.deepEqual(a.heard.map(({ n }) => n), Array.from({ length: 30 }, (_, i) => i + 1));
    assert.ok(codes.includes(4001), `codes ${codes}`);
    assert.equal(a.contexts.at(-1).recovered, true);
  });

  test(`${kind}: of a cache only the newest is recovered`, async () => {
    const server = await Fairlead.start(configuration({
      channel: { namespaces: [{
        name: 'price', history_size: 1, history_ttl: '300s', force_recovery: true, force_recovery_mode: 'cache',
        allow_subscribe_for_client: true, allow_subscribe_for_anonymous: true,
      }] },
    }));
    const ada = await connected(server, {}, kind);
    const a = await subscribed(ada, 'price:btc');
    await server.publish('price:btc', { n: 1 });
    await until('the first', () => a.heard.length === 1);
    ada.disconnect();
    for (const n of [2, 3, 4]) await server.publish('price:btc', { n });
    ada.connect();
    await until('the newest', () => a.heard.length === 2);
    assert.deepEqual(a.heard, [{ n: 1 }, { n: 4 }]);
  });

  test(`${kind}: channels that are named by numbers where that is allowed`, async () => {
    const server = await Fairlead.start(configuration({
      channel: { namespaces: [{
        name: 'short', allow_channel_compaction: true, allow_subscribe_for_client: true, allow_subscribe_for_anonymous: true,
        history_size: 10, history_ttl: '300s', force_recovery: true,
      }] },
    }));
    const ada = await connected(server, {}, kind);
    const subs = [await subscribed(ada, 'short:a'), await subscribed(ada, 'short:b')];
    for (const n of [1, 2, 3]) for (const name of ['a', 'b']) await server.publish(`short:${name}`, { name, n });
    await until('all', () => subs.every((sub) => sub.heard.length === 3));
    assert.deepEqual(subs.map((sub) => sub.heard), ['a', 'b'].map((name) => [1, 2, 3].map((n) => ({ name, n }))));
    subs[0].unsubscribe();
    await server.publish('short:a', { name: 'a', n: 4 });
    subs[0].subscribe();
    await until('what it missed', () => subs[0].heard.length === 4);
  });
}

test('who falls silent is sent away with 3012, comes back, and has missed nothing', async () => {
  let silent = false;
  class Silent extends Socket {
    send(data) {
      if (!(silent && data === '{}')) super.send(data);
    }
  }
  const server = await Fairlead.start(configuration({ client: { ping_interval: '2s', pong_timeout: '1500ms' } }));
  const ada = client(server, { websocket: Silent });
  const codes = [];
  ada.on('connecting', ({ code }) => { codes.push(code); });
  ada.connect();
  await ada.ready(5000);
  const a = await subscribed(ada, 'silence');
  silent = true;
  await until('the goodbye', () => codes.includes(3012));
  silent = false;
  await server.publish('silence', { n: 1 });
  await until('the message', () => a.heard.length === 1);
  assert.deepEqual(codes.filter((code) => code >= 3000), [3012]);
});

// One command after the other on a bare WebSocket: every reply that came, also those that an SDK would not expect.
const replies = async (server, commands) => {
  const socket = new Socket(`wss://localhost:${server.port}/connection/websocket`);
  const heard = [];
  socket.onmessage = ({ data }) => { heard.push(...data.split('\n').map((line) => JSON.parse(line))); };
  const closed = new Promise((_, reject) => { socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`)); });
  await Promise.race([closed, new Promise((resolve) => { socket.onopen = resolve; })]);
  for (const [index, command] of commands.entries()) {
    socket.send(JSON.stringify({ id: index + 1, ...command }));
    await Promise.race([closed, until(`reply ${index + 1}`, () => heard.some(({ id }) => id === index + 1))]);
  }
  socket.onclose = null;
  socket.close();
  return heard.filter(({ id }) => id);
};
const fill = async (server, channel, messages, length) => {
  const commands = Array.from({ length: messages }, (_, n) => ({ publish: { channel, data: { n, text: 'x'.repeat(length) } } }));
  await server.api('batch', { commands });
};
const large = (more) => configuration({ channel: { without_namespace: { history_size: 200 } }, ...more });

test('a reply that is larger than half of what may wait comes once', async () => {
  const server = await Fairlead.start(large());
  await fill(server, 'large', 200, 3000);
  const heard = await replies(server, [{ connect: {} }, { history: { channel: 'large', limit: 200 } }, { presence_stats: { channel: 'large' } }]);
  assert.deepEqual(heard.map(({ id }) => id), [1, 2, 3]);
  assert.equal(heard[1].history.publications.length, 200);
});

test('a reply that is larger than all that may wait does not cut off a client that reads', async () => {
  const server = await Fairlead.start(large({ client: { queue_max_size: 65536 } }));
  await fill(server, 'large', 200, 3000);
  const history = { history: { channel: 'large', limit: 200 } };
  const heard = await replies(server, [{ connect: {} }, history, history, history]);
  assert.deepEqual(heard.map(({ id }) => id), [1, 2, 3, 4]);
});

test('a token of a subscription that is revoked ends the subscription, and the connection stays', async () => {
  const server = await Fairlead.start(strict());
  const ada = await connected(server, { token: await token({ sub: 'ada', iat: soon(-10) }) });
  const of = (channel, jti) => token({ sub: 'ada', channel, jti, iat: soon(-10) });
  const one = await subscribed(ada, '$one', { token: await of('$one', 'one') });
  const other = await subscribed(ada, '$other', { token: await of('$other', 'other') });
  const ended = new Promise((resolve) => { one.on('unsubscribed', resolve); });
  assert.deepEqual(await server.api('revoke_token', { uid: 'one' }), { result: {} });
  assert.equal((await ended).code, 2000);
  assert.equal(other.state, 'subscribed');
  assert.equal(ada.state, 'connected');
});

test('a token that is revoked ends its connection, and lets nobody in again', async () => {
  const server = await Fairlead.start(strict());
  const of = (claims) => token({ sub: 'ada', iat: soon(-10), ...claims });
  const [one, other] = [await connected(server, { token: await of({ jti: 'one' }) }), await connected(server, { token: await of({ jti: 'other' }) })];
  const ended = new Promise((resolve) => { one.on('disconnected', resolve); });
  assert.deepEqual(await server.api('revoke_token', { uid: 'one' }), { result: {} });
  assert.equal((await ended).code, 3500);
  assert.equal(other.state, 'connected');
  const again = client(server, { token: await of({ jti: 'one' }) });
  const refused = new Promise((resolve) => { again.on('disconnected', resolve); });
  again.connect();
  assert.equal((await refused).code, 3500);
  const lost = new Promise((resolve) => { other.on('disconnected', resolve); });
  assert.deepEqual(await server.api('invalidate_user_tokens', { user: 'ada' }), { result: {} });
  assert.equal((await lost).code, 3500);
  await connected(server, { token: await of({ iat: soon(5) }) });
});

test('a token may open channels by pattern, for what it names and nothing else', async () => {
  const server = await Fairlead.start(strict());
  const caps = [{ channels: ['closed:team-*'], match: 'wildcard', allow: ['sub', 'hst'] }];
  const ada = await connected(server, { token: await token({ sub: 'ada', caps }) });
  const mine = await subscribed(ada, 'closed:team-1');
  await server.publish('closed:team-1', { n: 1 });
  await until('the message', () => mine.heard.length === 1);
  assert.equal((await mine.history({ limit: 10 })).publications.length, 1);
  await assert.rejects(mine.publish({ n: 2 }), { code: 103 });
  const other = listening(ada, 'closed:board');
  const why = await new Promise((resolve) => { other.on('unsubscribed', resolve); });
  assert.equal(why.code, 103);
});

test('what happened is told in order until it is acknowledged, also after kill -9', async () => {
  const config = strict({ events: { enabled: true }, channel: { without_namespace: { allow_subscribe_for_client: true, state_events: true } } });
  const database = 'events.db';
  let server = await Fairlead.start(config, { database });
  const ada = await connected(server, { token: await token({ sub: 'ada' }) });
  const a = await subscribed(ada, 'room');
  a.unsubscribe();
  const read = async (after) => (await server.api('events', { after, limit: 100 })).result.events;
  const kindsOf = (events) => events.map(({ kind }) => kind);
  const wanted = ['node_started', 'connected', 'channel_occupied', 'subscribed', 'unsubscribed', 'channel_vacated'];
  await until('six of them', async () => (await read(0)).length >= wanted.length);
  const before = await read(0);
  assert.deepEqual([...kindsOf(before)].sort(), [...wanted].sort());
  assert.deepEqual(before.map(({ sequence }) => sequence), [1, 2, 3, 4, 5, 6]);
  assert.ok(before.filter(({ kind }) => /^(connected|subscribed|unsubscribed)$/.test(kind)).every(({ user }) => user === 'ada'));
  const { port } = server;
  await server.api('events_acknowledge', { sequence: 2 });
  await server.kill();
  server = await Fairlead.start(config, { port, database });
  const after = await read(0);
  assert.deepEqual(after.slice(0, 4), before.slice(2), 'what was not acknowledged is told again, the rest is not');
});

// What a backend knows that does as docs/events.md says.
function stillOpen(events) {
  const open = new Set();
  for (const { kind, client, channel } of events) {
    if (kind === 'node_started') open.clear();
    if (kind === 'connected') open.add(`client ${client}`);
    if (kind === 'disconnected') open.delete(`client ${client}`);
    if (kind === 'subscribed') open.add(`client ${client} in ${channel}`);
    if (kind === 'unsubscribed') open.delete(`client ${client} in ${channel}`);
    if (kind === 'channel_occupied') open.add(`channel ${channel}`);
    if (kind === 'channel_vacated') open.delete(`channel ${channel}`);
  }
  return open;
}

test('after kill -9 nobody stays connected in the stream, nor any channel occupied', async () => {
  const config = strict({ node: { name: 'one' }, events: { enabled: true }, channel: { without_namespace: { allow_subscribe_for_client: true, state_events: true } } });
  const database = 'killed.db';
  let server = await Fairlead.start(config, { database });
  const ada = await connected(server, { token: await token({ sub: 'ada' }) });
  await subscribed(ada, 'room');
  const read = async () => (await server.api('events', { after: 0, limit: 100 })).result.events;
  await until('three are open', async () => stillOpen(await read()).size === 3);
  await server.kill();
  ada.disconnect();
  server = await Fairlead.start(config, { database });
  const events = await until('the new beginning', async () => {
    const found = await read();
    return found.filter(({ kind }) => kind === 'node_started').length === 2 && found;
  });
  assert.equal(events.at(-1).kind, 'node_started');
  assert.equal(events.at(-1).reason, 'one');
  assert.deepEqual([...stillOpen(events)], []);
});

test('SIGTERM stores how everything ended', async () => {
  const config = strict({ shutdown: { timeout: '0s' }, events: { enabled: true }, channel: { without_namespace: { allow_subscribe_for_client: true, state_events: true } } });
  const database = 'ended.db';
  let server = await Fairlead.start(config, { database });
  const clients = await Promise.all(Array.from({ length: 30 }, async (_, i) => connected(server, { token: await token({ sub: `user ${i}` }) })));
  await Promise.all(clients.map((one, i) => subscribed(one, `room ${i}`)));
  await server.stop();
  for (const one of clients) one.disconnect();
  server = await Fairlead.start(config, { database });
  const events = await until('the next beginning', async () => {
    const found = (await server.api('events', { after: 0, limit: 1000 })).result.events;
    return found.filter(({ kind }) => kind === 'node_started').length === 2 && found;
  });
  const life = events.slice(0, -1);
  assert.equal(life.filter(({ kind }) => kind === 'connected').length, 30);
  assert.equal(life.filter(({ kind }) => kind === 'disconnected').length, 30);
  assert.equal(life.filter(({ kind }) => kind === 'channel_vacated').length, 30);
  assert.deepEqual([...stillOpen(life)], []);
});

// ── Clients that only listen ────────────────────────────────────────────────────────────────────────────────────────
const unidirectional = {
  uni_websocket: async (server, request, heard) => {
    const socket = new Socket(`wss://localhost:${server.port}/connection/uni_websocket`);
    socket.onmessage = ({ data }) => data.split('\n').forEach(heard);
    await new Promise((resolve) => { socket.onopen = resolve; });
    socket.send(JSON.stringify(request));
    return () => {
      socket.onmessage = null;
      socket.close();
    };
  },
  uni_sse: async (server, request, heard) => {
    const source = new Events(`${server.url}connection/uni_sse?cf_connect=${encodeURIComponent(JSON.stringify(request))}`);
    source.onmessage = ({ data }) => heard(data);
    return () => source.close();
  },
  uni_http_stream: async (server, request, heard) => {
    const stop = new AbortController();
    const answer = await fetch(`${server.url}connection/uni_http_stream`, { method: 'POST', body: JSON.stringify(request), signal: stop.signal });
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    let text = '';
    void (async () => {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        const lines = (text + decoder.decode(value, { stream: true })).split('\n');
        text = lines.pop();
        lines.forEach(heard);
      }
    })().catch(() => {});  // it was stopped
    return () => stop.abort();
  },
};
for (const [transport, open] of Object.entries(unidirectional)) {
  test(`${transport}: who only listens hears its channels, and recovers from a position`, async () => {
    const server = await Fairlead.start(strict());
    const request = { token: await token({ sub: 'ada', channels: ['news'] }) };
    const pushes = [];
    const hear = (line) => {
      const push = line ? JSON.parse(line) : {};
      if (push.connect || push.pub) pushes.push(push);  // pings, and joins, come as well
    };
    const close = await open(server, request, hear);
    await until('the connection', () => pushes.length === 1);
    const { connect } = pushes[0];
    assert.ok(connect?.client && connect.subs.news.recoverable, JSON.stringify(pushes[0]));
    await server.publish('news', { text: 'Съешь 🦊' });
    await until('the publication', () => pushes.length === 2);
    assert.equal(pushes[1].channel, 'news');
    assert.deepEqual(pushes[1].pub.data, { text: 'Съешь 🦊' });
    close();
    await server.publish('news', { text: 'missed' });
    pushes.length = 0;
    const { epoch } = connect.subs.news;
    const closeAgain = await open(server, { ...request, subs: { news: { recover: true, offset: 1, epoch } } }, hear);
    await until('the connection', () => pushes.length === 1);
    const { recovered, publications } = pushes[0].connect.subs.news;
    assert.equal(recovered, true);
    assert.deepEqual(publications.map(({ data }) => data), [{ text: 'missed' }]);
    closeAgain();
  });
}
