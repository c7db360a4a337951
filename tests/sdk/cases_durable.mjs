// SPDX-License-Identifier: Apache-2.0
// The durable engine: the server is killed in the middle of a conversation, and nothing is lost, doubled or out of
// order.
import assert from 'node:assert/strict';
import { Fairlead, configuration, connected, kinds, payload, sleep, subscribed, test, until } from './harness.mjs';

for (const kind of Object.keys(kinds)) {
  test(`${kind}: a conversation survives kill -9`, async () => {
    const database = `durable-${kind.replace(' ', '-')}.db`;
    let server = await Fairlead.start(configuration(), { database });
    const { port } = server;
    const [ada, bob] = [await connected(server, {}, kind), await connected(server, {}, kind)];
    const [a, b] = [await subscribed(ada, 'talk'), await subscribed(bob, 'talk')];
    const acknowledged = [];
    let publishing = true;
    const talk = async (sub, who) => {
      for (let n = 0; publishing; n += 1) {
        try {
          await sub.publish(payload(kind, { who, n }));
          acknowledged.push(`${who} ${n}`);
        } catch {
          await sleep(20);  // not answered: it may have arrived or not
        }
        await sleep(5);
      }
    };
    const talking = [talk(a, 'ada'), talk(b, 'bob')];
    for (let round = 0; round < 3; round += 1) {
      await sleep(400);
      await server.kill();
      server = await Fairlead.start(configuration(), { port, database });
      await until('both to be back', () => [a, b].every((sub) => sub.state === 'subscribed'), 15);
    }
    await sleep(300);
    publishing = false;
    await Promise.all(talking);
    await server.publish('talk', { who: 'end', n: 0 });
    const names = (sub) => sub.heard.map((one) => `${one.who} ${one.n}`);
    await until('the last one', () => [a, b].every((sub) => names(sub).at(-1) === 'end 0'));
    assert.deepEqual(names(a), names(b), 'both heard the same in the same order');
    assert.equal(new Set(names(a)).size, names(a).length, 'nothing twice');
    const missing = acknowledged.filter((one) => !names(a).includes(one));
    assert.deepEqual(missing, [], 'nothing that was acknowledged is missing');
    assert.ok(acknowledged.length > 30, `${acknowledged.length} were acknowledged`);
  }, 60);
}
