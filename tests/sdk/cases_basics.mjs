// SPDX-License-Identifier: Apache-2.0
// What every client does, over each transport and in each format.
import assert from 'node:assert/strict';
import { Fairlead, client, configuration, connected, decoded, kinds, listening, payload, sleep, subscribed, test, until } from './harness.mjs';

for (const kind of Object.keys(kinds)) {
  test(`${kind}: connects, subscribes, publishes and hears itself and others`, async () => {
    const server = await Fairlead.start();
    const [ada, bob] = [await connected(server, {}, kind), await connected(server, {}, kind)];
    const [a, b] = [await subscribed(ada, 'news'), await subscribed(bob, 'news')];
    await a.publish(payload(kind, { text: 'from Ada' }));
    await server.publish('news', { text: 'by the API', n: 2 });
    for (const sub of [a, b]) {
      await until('both messages', () => sub.heard.length === 2);
      assert.deepEqual(sub.heard, [{ text: 'from Ada' }, { text: 'by the API', n: 2 }]);
    }
  });

  test(`${kind}: presence, its stats, joins and leaves`, async () => {
    const server = await Fairlead.start();
    const ada = await connected(server, {}, kind);
    const a = ada.newSubscription('room');
    const seen = [];
    a.on('join', (context) => seen.push(['join', context.info.client]));
    a.on('leave', (context) => seen.push(['leave', context.info.client]));
    a.subscribe();
    await a.ready(5000);
    const [adas] = Object.keys((await a.presence()).clients);
    const bob = client(server, {}, kind);
    let bobs;
    bob.on('connected', (context) => { bobs = context.client; });
    bob.connect();
    await bob.ready(10000);
    const b = await subscribed(bob, 'room');
    const here = await a.presence();
    assert.deepEqual(Object.keys(here.clients).sort(), [adas, bobs].sort());
    const stats = await a.presenceStats();
    assert.equal(stats.numClients, 2);
    // Whoever subscribes may hear its own join as well.
    const ofBob = () => seen.filter(([, who]) => who === bobs);
    await until('Bob to have joined', () => ofBob().length === 1);
    assert.deepEqual(ofBob(), [['join', bobs]]);
    b.unsubscribe();
    await until('Bob to have left', () => ofBob().length === 2);
    assert.deepEqual(ofBob(), [['join', bobs], ['leave', bobs]]);
    assert.equal((await a.presenceStats()).numClients, 1);
    assert.deepEqual(seen.filter(([what, who]) => who !== bobs && (what !== 'join' || who !== adas)), [], 'nobody else');
  });

  test(`${kind}: history forwards, backwards, in pages`, async () => {
    const server = await Fairlead.start();
    for (let n = 1; n <= 5; n += 1) await server.publish('log', { n });
    const ada = await connected(server, {}, kind);
    const a = await subscribed(ada, 'log');
    const read = async (options) => (await a.history(options)).publications.map((one) => decoded(one.data).n);
    assert.deepEqual(await read({ limit: 10 }), [1, 2, 3, 4, 5]);
    assert.deepEqual(await read({ limit: 2, reverse: true }), [5, 4]);
    const { offset, epoch } = await a.history({ limit: 0 });
    assert.equal(Number(offset), 5);  // Protobuf's 64-bit numbers are objects in JavaScript
    assert.deepEqual(await read({ limit: 2, since: { offset: 2, epoch } }), [3, 4]);
    await assert.rejects(a.history({ limit: 1, since: { offset: 1, epoch: 'other' } }), { code: 112 });
  });

  test(`${kind}: recovers what it missed while its connection was away`, async () => {
    const server = await Fairlead.start();
    const ada = await connected(server, {}, kind);
    const a = await subscribed(ada, 'stream');
    await server.publish('stream', { n: 1 });
    await until('the first', () => a.heard.length === 1);
    ada.disconnect();
    for (let n = 2; n <= 6; n += 1) await server.publish('stream', { n });
    ada.connect();
    await until('the rest', () => a.heard.length === 6);
    await server.publish('stream', { n: 7 });
    await until('the live one', () => a.heard.length === 7);
    assert.deepEqual(a.heard.map((one) => one.n), [1, 2, 3, 4, 5, 6, 7]);
    assert.equal(a.contexts.at(-1).wasRecovering, true);
    assert.equal(a.contexts.at(-1).recovered, true);
  });

  test(`${kind}: deltas, also of text that is not Latin`, async () => {
    const server = await Fairlead.start();
    const ada = await connected(server, {}, kind);
    const a = await subscribed(ada, 'delta', { delta: 'fossil' });
    const long = 'Съешь же ещё этих мягких французских булок, да выпей чаю — 日本語のテキスト 🦄🦊 '.repeat(20);
    const sent = [];
    for (let n = 0; n < 40; n += 1) {
      const at = (n * 37) % long.length;
      const value = { n, text: [...long].map((c, i) => (i === at ? 'ж' : c)).join('') };
      sent.push(value);
      await server.publish('delta', value);
    }
    await until('all', () => a.heard.length === sent.length);
    assert.deepEqual(a.heard, sent);
    ada.disconnect();
    sent.push({ n: 'missed', text: `${long}!` }, { n: 'missed too', text: `${long}?` });
    for (const value of sent.slice(-2)) await server.publish('delta', value);
    ada.connect();
    await until('what it missed', () => a.heard.length === sent.length);
    assert.deepEqual(a.heard, sent);
  });

  test(`${kind}: ten quick connects and subscribes`, async () => {
    const server = await Fairlead.start();
    const ada = client(server, {}, kind);
    for (let i = 0; i < 10; i += 1) { ada.connect(); ada.disconnect(); }
    for (let i = 0; i < 10; i += 1) { ada.connect(); await ada.ready(5000); ada.disconnect(); }
    ada.connect();
    await ada.ready(5000);
    const sub = listening(ada, 'quick');
    for (let i = 0; i < 10; i += 1) { sub.unsubscribe(); sub.subscribe(); }
    await sub.ready(5000);
    for (let i = 0; i < 10; i += 1) { sub.unsubscribe(); sub.subscribe(); await sub.ready(5000); }
    await server.publish('quick', { n: 1 });
    await until('the message', () => sub.heard.length > 0);
    assert.deepEqual(sub.heard, [{ n: 1 }]);
  });
}

for (const kind of Object.keys(kinds)) {
  test(`${kind}: many subscriptions, each its own messages in order`, async () => {
    const server = await Fairlead.start();
    const ada = await connected(server, {}, kind);
    const subs = await Promise.all(Array.from({ length: 50 }, (_, i) => subscribed(ada, `many${i}`)));
    const commands = [];
    for (let n = 0; n < 10; n += 1) for (let i = 0; i < 50; i += 1) commands.push({ publish: { channel: `many${i}`, data: { i, n } } });
    const { result } = await server.api('batch', { commands });
    assert.equal(result?.replies?.length, 500);
    await until('all', () => subs.every((sub) => sub.heard.length === 10));
    subs.forEach((sub, i) => assert.deepEqual(sub.heard, Array.from({ length: 10 }, (_, n) => ({ i, n }))));
  });
}

test('a client that answers its pings stays', async () => {
  const config = configuration({ client: { ping_interval: '1s', pong_timeout: '500ms' } });
  const server = await Fairlead.start(config);
  const ada = await connected(server);
  const a = await subscribed(ada, 'silence');
  await sleep(2600);  // pings were answered
  await server.publish('silence', { n: 1 });
  await until('the message', () => a.heard.length === 1);
  assert.equal(ada.state, 'connected');
});

test('a drain sends clients away gently: they come back to the next server', async () => {
  const first = await Fairlead.start();
  const ada = await connected(first);
  const a = await subscribed(ada, 'drain');
  const codes = [];
  ada.on('connecting', (context) => codes.push(context.code));
  await first.stop();
  await until('the goodbye', () => codes.length > 0);
  assert.equal(codes[0], 3001);
  const second = await Fairlead.start(configuration(), { port: first.port });
  await until('the return', () => ada.state === 'connected' && a.state === 'subscribed', 15);
  await second.publish('drain', { n: 1 });
  await until('the message', () => a.heard.length === 1);
});
