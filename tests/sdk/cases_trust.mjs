// SPDX-License-Identifier: Apache-2.0
// Tokens, permissions, server-side subscriptions and the backend's webhooks, as the SDK lives through them.
import assert from 'node:assert/strict';
import { Fairlead, backend, client, configuration, connected, decoded, hex, hmac, kinds, listening, payload, sleep, soon, subscribed, test, token, until } from './harness.mjs';

const strict = (more = {}) => configuration({ client: { allow_anonymous_connect_without_token: false }, ...more });

for (const kind of Object.keys(kinds)) {
  test(`${kind}: a token that expires is refreshed without a new connection`, async () => {
    const server = await Fairlead.start(strict());
    let asked = 0;
    const ada = await connected(server, { getToken: async () => { asked += 1; return token({ sub: 'ada', exp: soon(2) }); } }, kind);
    let gone = 0;
    ada.on('connecting', () => { gone += 1; });
    await until('two refreshes', () => asked >= 3, 15);
    assert.equal(gone, 0, 'the connection stayed');
    assert.equal(ada.state, 'connected');
  });

  test(`${kind}: subscription tokens, and their refresh`, async () => {
    const server = await Fairlead.start(strict());
    const ada = await connected(server, { token: await token({ sub: 'ada', exp: soon(600) }) }, kind);
    let asked = 0;
    const sub = listening(ada, '$secret', { getToken: async () => { asked += 1; return token({ sub: 'ada', channel: '$secret', exp: soon(2) }); } });
    await sub.ready(5000);
    await server.publish('$secret', { n: 1 });
    await until('the message', () => sub.heard.length === 1);
    await until('a refresh', () => asked >= 2, 10);
    assert.equal(sub.state, 'subscribed');
  });

  test(`${kind}: rpc, publish, subscribe and connect by the backend's webhooks`, async () => {
    const other = await backend({
      '/connect': (body) => ({ result: { user: `user of ${body.data.pass}`, channels: ['greetings'], data: { hello: true } } }),
      '/subscribe': (body) => (body.channel === 'hooks:no' ? { error: { code: 403, message: 'not you' } } : { result: { info: { role: 'reader' } } }),
      '/publish': (body) => ({ result: { data: { ...body.data, checked: true } } }),
      '/rpc': (body) => ({ result: { data: { method: body.method, twice: body.data.n * 2 } } }),
    });
    const hook = (path) => ({ endpoint: other.url(path), signing_secret: 's3cret' });
    const server = await Fairlead.start(strict({
      client: { allow_anonymous_connect_without_token: false, proxy: { connect: { enabled: true, ...hook('/connect') } } },
      channel: {
        proxy: { subscribe: hook('/subscribe'), publish: hook('/publish') },
        namespaces: [{ name: 'hooks', subscribe_proxy_enabled: true, publish_proxy_enabled: true, presence: true, allow_presence_for_subscriber: true }],
      },
      rpc: { proxy: { endpoint: other.url('/rpc') }, without_namespace: { proxy_enabled: true } },
    }));
    const ada = client(server, { data: payload(kind, { pass: 'x' }) }, kind);
    const contexts = [];
    ada.on('connected', (context) => contexts.push(context));
    const greetings = [];
    ada.on('publication', (context) => greetings.push([context.channel, decoded(context.data)]));
    ada.connect();
    await ada.ready(5000);
    assert.deepEqual(decoded(contexts[0].data), { hello: true });
    await server.publish('greetings', { n: 1 });
    await until('the greeting', () => greetings.length === 1);
    assert.deepEqual(greetings, [['greetings', { n: 1 }]]);

    const sub = await subscribed(ada, 'hooks:yes');
    await sub.publish(payload(kind, { n: 1 }));
    await until('the checked message', () => sub.heard.length === 1);
    assert.deepEqual(sub.heard, [{ n: 1, checked: true }]);
    const refused = listening(ada, 'hooks:no');
    const why = await new Promise((resolve) => { refused.on('unsubscribed', resolve); });
    assert.equal(why.code, 403);
    const answer = await ada.rpc('double', payload(kind, { n: 21 }));
    assert.deepEqual(decoded(answer.data), { method: 'double', twice: 42 });

    const signed = other.asked.find((one) => one.path === '/connect');
    const mac = hex(await hmac('s3cret', `${signed.headers['x-fairlead-timestamp']}.${signed.text}`));
    assert.equal(signed.headers['x-fairlead-signature'], mac);
  });

  test(`${kind}: subscriptions that the server makes and ends`, async () => {
    const server = await Fairlead.start(strict());
    const ada = client(server, { token: await token({ sub: 'ada', channels: ['from-token'] }) }, kind);
    const heard = [];
    const events = [];
    ada.on('publication', (context) => heard.push([context.channel, decoded(context.data)]));
    for (const what of ['subscribed', 'unsubscribed']) ada.on(what, (context) => events.push(`${what} ${context.channel}`));
    ada.connect();
    await ada.ready(5000);
    await until('the first', () => events.length === 1);
    assert.deepEqual(events, ['subscribed from-token']);
    assert.deepEqual(await server.api('subscribe', { user: 'ada', channel: 'later' }), { result: {} });
    await until('the second', () => events.includes('subscribed later'));
    await server.publish('from-token', { n: 1 });
    await server.publish('later', { n: 2 });
    await until('both', () => heard.length === 2);
    assert.deepEqual(heard, [['from-token', { n: 1 }], ['later', { n: 2 }]]);
    await server.api('unsubscribe', { user: 'ada', channel: 'later' });
    await until('the end', () => events.includes('unsubscribed later'));
    ada.disconnect();
    await server.publish('from-token', { n: 3 });
    ada.connect();
    await until('what was missed', () => heard.length === 3);
    assert.deepEqual(heard[2], ['from-token', { n: 3 }]);
  });

  test(`${kind}: filters by tags`, async () => {
    const server = await Fairlead.start();
    const ada = await connected(server, {}, kind);
    const sub = await subscribed(ada, 'ticks', { tagsFilter: { key: 'ticker', cmp: 'eq', val: 'BTC' } });
    for (const [n, ticker] of ['BTC', 'ETH', 'BTC', 'XMR'].entries()) await server.publish('ticks', { n }, { tags: { ticker } });
    await until('two', () => sub.heard.length === 2);
    assert.deepEqual(sub.heard, [{ n: 0 }, { n: 2 }]);
  });

  test(`${kind}: a wrong token ends it for good, with the protocol's code`, async () => {
    const server = await Fairlead.start(strict());
    const ada = client(server, { token: await token({ sub: 'ada' }, 'another secret, that nobody knows') }, kind);
    const ended = new Promise((resolve) => { ada.on('disconnected', resolve); });
    ada.connect();
    assert.equal((await ended).code, 3500);
    assert.doesNotMatch(await server.errors(), /eyJ/, 'no token in the log');
  });
}

test('disconnect by the API', async () => {
  const server = await Fairlead.start(strict());
  const ada = await connected(server, { token: await token({ sub: 'ada' }) });
  const ended = new Promise((resolve) => { ada.on('disconnected', resolve); });
  assert.deepEqual(await server.api('disconnect', { user: 'ada' }), { result: {} });
  assert.equal((await ended).code, 3503);
});

const hooked = (other, more = {}) => strict({
  client: {
    allow_anonymous_connect_without_token: false, expired_close_delay: '1s', expired_sub_close_delay: '1s',
    proxy: { connect: { enabled: true, endpoint: other.url('/connect') }, refresh: { enabled: true, endpoint: other.url('/refresh') } },
  },
  ...more,
});
const askedAt = (other, path) => other.asked.filter((one) => one.path === path);

test('refresh by the API prolongs a connection, and ends it', async () => {
  const other = await backend({ '/connect': () => ({ result: { user: 'ada', expire_at: soon(3) } }), '/refresh': () => ({ result: { expired: true } }) });
  const server = await Fairlead.start(hooked(other));
  const ada = client(server);
  const codes = [];
  ada.on('connecting', (context) => codes.push(context.code));
  ada.connect();
  await ada.ready(10000);
  codes.length = 0;
  assert.deepEqual(await server.api('refresh', { user: 'ada', expire_at: soon(600) }), { result: {} });
  await sleep(4500);
  assert.deepEqual(codes, [], 'the connection outlived what it had been given');
  assert.equal(askedAt(other, '/refresh').length, 0, 'nobody had to be asked');
  assert.deepEqual(await server.api('refresh', { user: 'ada', expired: true }), { result: {} });
  await until('the end', () => codes.length > 0);
  assert.equal(codes[0], 3005);
});

for (const kind of Object.keys(kinds)) {
  test(`${kind}: the backend prolongs connections, and ends them`, async () => {
    let more = 2;
    const other = await backend({
      '/connect': () => ({ result: { user: 'ada', expire_at: soon(2) } }),
      '/refresh': () => ({ result: more-- > 0 ? { expire_at: soon(2) } : { expired: true } }),
    });
    const server = await Fairlead.start(hooked(other));
    const ada = client(server, {}, kind);
    const codes = [];
    ada.on('connecting', (context) => codes.push(context.code));
    ada.connect();
    await ada.ready(10000);
    codes.length = 0;
    await until('two questions', () => askedAt(other, '/refresh').length >= 2, 15);
    assert.deepEqual(codes, [], 'the connection stayed');
    assert.equal(askedAt(other, '/refresh')[0].body.user, 'ada');
    await until('the end', () => codes.length > 0, 15);
    assert.equal(codes[0], 3005);
  });

  test(`${kind}: the backend prolongs subscriptions, and ends them`, async () => {
    let more = 2;
    const other = await backend({
      '/subscribe': () => ({ result: { expire_at: soon(2) } }),
      '/sub_refresh': () => ({ result: more-- > 0 ? { expire_at: soon(2) } : { expired: true } }),
    });
    const server = await Fairlead.start(strict({
      client: { expired_sub_close_delay: '1s' },
      channel: {
        proxy: { subscribe: { endpoint: other.url('/subscribe') }, sub_refresh: { endpoint: other.url('/sub_refresh') } },
        namespaces: [{ name: 'hooks', subscribe_proxy_enabled: true, sub_refresh_proxy_enabled: true }],
      },
    }));
    const ada = await connected(server, { token: await token({ sub: 'ada' }) }, kind);
    const sub = await subscribed(ada, 'hooks:news');
    const codes = [];
    sub.on('subscribing', (context) => codes.push(context.code));
    await until('two questions', () => askedAt(other, '/sub_refresh').length >= 2, 15);
    assert.deepEqual(codes, [], 'the subscription stayed');
    const [{ body }] = askedAt(other, '/sub_refresh');
    assert.deepEqual([body.user, body.channel], ['ada', 'hooks:news']);
    await server.publish('hooks:news', { n: 1 });
    await until('the message', () => sub.heard.length === 1);
    await until('the end', () => codes.length > 0, 15);
    assert.equal(codes[0], 2501);
    assert.equal(ada.state, 'connected');
  });
}

test('a channel without permission, and one of an unknown namespace', async () => {
  const server = await Fairlead.start(strict());
  const ada = await connected(server, { token: await token({ sub: 'ada' }) });
  for (const [channel, code] of [['closed:x', 103], ['nowhere:x', 102]]) {
    const sub = listening(ada, channel);
    const why = await new Promise((resolve) => { sub.on('unsubscribed', resolve); });
    assert.equal(why.code, code);
  }
});

test('a user may not read a channel that is limited to others', async () => {
  const server = await Fairlead.start(strict({
    channel: { namespaces: [{ name: 'dialog', allow_user_limited_channels: true, allow_publish_for_subscriber: true }] },
  }));
  const ada = await connected(server, { token: await token({ sub: 'ada' }) });
  await subscribed(ada, 'dialog:1#ada,bob');
  const other = listening(ada, 'dialog:1#bob,eve');
  const why = await new Promise((resolve) => { other.on('unsubscribed', resolve); });
  assert.equal(why.code, 103);
});
