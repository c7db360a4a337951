// SPDX-License-Identifier: Apache-2.0
// Raw WebSockets from a browser: integrity, compression, close codes in both directions, drain, foreign origins.
import assert from "node:assert/strict";
import { closing, echoed, keepOpen, lateClose } from "../in_page.js";

const sizes = [0, 1, 125, 126, 65_535, 65_536, 1024 * 1024, 8 * 1024 * 1024];

export async function socketCases({ suite, browser, fairlead, site }) {
  const label = (text) => `${browser.name}: ${text}`;
  const allowed = ["--allow-origin", site.origin];
  const plain = await fairlead.echo(allowed);
  const deflating = await fairlead.echo(["--compress", ...allowed]);
  const page = await browser.open(site.url);

  for (const [server, name, extension] of [[plain, "plain", /^$/], [deflating, "permessage-deflate", /^permessage-deflate/]]) {
    for (const kind of ["text", "binary"]) {
      await suite.run(label(`${kind} of 0 B to 8 MiB comes back unchanged (${name})`), 75_000, async () => {
        const { results, extensions, closeCode } = await page.evaluate(echoed, { url: url(server), kind, sizes });
        assert.match(extensions, extension);
        assert.equal(results.length, sizes.length);
        for (const { size, gotKind, gotSize, sent, got } of results) {
          assert.deepEqual({ size, gotKind, gotSize, got }, { size, gotKind: kind, gotSize: size, got: sent });
        }
        assert.equal(new Set(results.map(({ sent }) => sent)).size, sizes.length, "every message was another");
        assert.equal(closeCode, 1000);
      });
    }
  }

  for (const [closeWith, code, reason] of [[[1000, "done"], 1000, "done"], [[4001, "bye ⛵"], 4001, "bye ⛵"], [[4999], 4999, ""], [[], 1005, ""]]) {
    await suite.run(label(`the page closes with ${closeWith.join(" ") || "no code"}, and the server answers in kind`), 15_000, async () => {
      const seen = await page.evaluate(closing, { url: url(plain), closeWith });
      assert.equal(seen.opened, true);
      assert.equal(seen.code, code);
      assert.ok(seen.reason === reason || seen.reason === "", `reason "${seen.reason}"`);
      assert.equal(seen.wasClean, true);
    });
  }

  await suite.run(label("a message beyond the limit is answered with 1009, which arrives"), 20_000, async () => {
    const small = await fairlead.echo(allowed, 1_000);
    const within = await page.evaluate(closing, { url: url(small), send: 1_000, closeWith: [1000] });
    assert.equal(within.code, 1000);
    const seen = await page.evaluate(closing, { url: url(small), send: 1_001 });
    assert.equal(seen.opened, true);
    assert.equal(seen.code, 1009); // not necessarily clean: a server that fails a connection need not wait (RFC 6455 7.1.7)
    await small.stop();
  });

  await suite.run(label("a server that is told to end says so: 1001 or 1012, clean, never 1006"), 20_000, async () => {
    await page.evaluate(keepOpen, url(deflating));
    const end = page.evaluate(lateClose);
    const drained = deflating.drain();
    const { code, wasClean } = await end;
    assert.ok([1001, 1012].includes(code), `code ${code}`);
    assert.equal(wasClean, true);
    await drained;
  });

  await suite.run(label("a page of another origin is refused"), 20_000, async () => {
    const strict = await fairlead.echo(["--allow-origin", "https://elsewhere.example"]);
    const seen = await page.evaluate(closing, { url: url(strict) });
    assert.deepEqual([seen.opened, seen.error, seen.code], [false, true, 1006]);
    const demo = await fairlead.demo();
    for (const path of ["room", "api/session"]) {
      const refused = await page.evaluate(closing, { url: `wss://${demo.host}/${path}` });
      assert.deepEqual([refused.opened, refused.code], [false, 1006], path);
    }
    await Promise.all([strict.stop(), demo.stop()]);
  });

  await page.close();
  await plain.stop();
}

const url = (server) => `wss://${server.host}/`;
