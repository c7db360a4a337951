// SPDX-License-Identifier: Apache-2.0
// Certificates are really verified: the same plain page, the same server; only with the CA in its store does the
// browser open the WebSocket.
import assert from "node:assert/strict";
import { closing } from "../in_page.js";

export async function trustCases({ suite, start, name, fairlead, directory, plainSite }) {
  const server = await fairlead.echo(["--allow-origin", plainSite.origin]);
  const attempt = async (browser) => {
    const page = await browser.open(plainSite.url);
    return page.evaluate(closing, { url: `wss://${server.host}/`, closeWith: [1000] });
  };

  await suite.run(`${name}: without trust in the CA the connection fails`, 90_000, async () => {
    const stranger = await start({ directory: `${directory}/stranger` });
    try {
      const seen = await attempt(stranger);
      assert.deepEqual([seen.opened, seen.error], [false, true]);
      assert.ok([1006, 1015].includes(seen.code), `code ${seen.code}`); // RFC 6455 7.4.1: 1015 is a failed TLS handshake
    } finally {
      await stranger.close();
    }
  });

  let browser;
  await suite.run(`${name}: starts, and with trust the same connection opens`, 90_000, async () => {
    browser = await start({ directory: `${directory}/friend`, ca: fairlead.ca, leaf: fairlead.leaf });
    console.log(`        ${name} is ${await browser.version()}`);
    const seen = await attempt(browser);
    assert.deepEqual([seen.opened, seen.code], [true, 1000]);
  });
  await server.stop();
  return browser;
}
