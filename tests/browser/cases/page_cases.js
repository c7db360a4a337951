// SPDX-License-Identifier: Apache-2.0
// The page that `fairlead demo` serves: loads cleanly, tells what was negotiated, measures, copes with a restart.
import assert from "node:assert/strict";
import { bannerText, sampleCount, stateOfPage, textOfId } from "../in_page.js";
import { eventually, pause } from "../suite.js";

export async function openDemo(browser, demo) {
  const page = await browser.open(`https://${demo.host}/`); // which leads to /channel/
  await eventually("the page is connected", async () => (await page.evaluate(stateOfPage)) === "open")
    .catch((error) => Promise.reject(new Error(`${error.message}; the console says: ${page.problems.join(" | ")}`)));
  return page;
}

export async function pageCases({ suite, browser, fairlead }) {
  const demo = await fairlead.demo();
  const page = await openDemo(browser, demo);
  const label = (text) => `${browser.name}: ${text}`;

  await suite.run(label("the negotiated panel tells TLS 1.3, cipher, group, subprotocol"), 15_000, async () => {
    await eventually("the facts are there", async () => (await page.evaluate(textOfId, "fact-tls")) !== "–");
    const fact = (name) => page.evaluate(textOfId, `fact-${name}`);
    assert.equal(await fact("tls"), "TLSv1.3");
    assert.match(await fact("cipher"), /^TLS_(AES_128_GCM_SHA256|AES_256_GCM_SHA384|CHACHA20_POLY1305_SHA256)$/);
    assert.match(await fact("group"), /^(X25519|P-?256|P-?384|secp256r1|secp384r1|prime256v1|X25519MLKEM768)$/i);
    assert.equal(await fact("protocol"), "session.fairlead");
    assert.doesNotMatch(await fact("extensions"), /this browser says/);
    assert.match(await fact("server"), /^fairlead \d/i);
    assert.match(await fact("handshake"), /^(full|resumed)$/);
  });

  await suite.run(label("the round trip is measured and drawn"), 20_000, async () => {
    await eventually("ten samples", async () => (await page.evaluate(sampleCount)) >= 10, 15_000);
    for (const id of ["rtt-last", "rtt-min", "rtt-median", "rtt-p99"]) {
      const value = Number(await page.evaluate(textOfId, id));
      assert.ok(value >= 0 && value < 5_000, `${id}: ${value} ms`);
    }
    const drawn = await page.evaluate(() => document.querySelector("#rtt-graph .line").getAttribute("d"));
    assert.match(drawn, /^M[\d.]+ [\d.]+L/);
  });

  await suite.run(label("no console error, no warning, no policy violation"), 5_000, async () => {
    assert.deepEqual(page.problems, []);
  });

  await suite.run(label("a restart of the server shows the banner and ends in a new connection"), 90_000, async () => {
    await assertRestart({ page, demo, fairlead, expected: restartSeenBy(browser.name) });
  });

  await page.close();
}

// WebKitGTK's HTTP library takes 1012 and 1013, which were registered after RFC 6455, for invalid codes and reports 1006.
function restartSeenBy(name) {
  const seen = /The server is (restarting|going away)\. code (1012|1001)/;
  return name === "webkit" ? new RegExp(`${seen.source}|The connection was lost\\. code 1006`) : seen;
}

async function assertRestart({ page, demo, fairlead, expected }) {
  await page.evaluate(() => {
    globalThis.bannersSeen = [];
    const banner = document.getElementById("banner");
    const note = () => banner.hidden || globalThis.bannersSeen.push(banner.textContent.replace(/\s+/g, " ").trim());
    new MutationObserver(note).observe(banner, { attributes: true, childList: true, characterData: true, subtree: true });
  });
  await demo.drain();
  await eventually("the banner is shown", () => page.evaluate(bannerText));
  const seen = (await page.evaluate(() => globalThis.bannersSeen)).join("\n");
  assert.match(seen, expected, `the code of the drain arrives; the banner said: ${seen}`);
  assert.notEqual(await page.evaluate(stateOfPage), "open");
  await pause(300);
  const again = await fairlead.demo(demo.port);
  await eventually("the page is connected again", async () => (await page.evaluate(stateOfPage)) === "open", 60_000, 200);
  assert.equal(await page.evaluate(bannerText), "");
  const before = await page.evaluate(sampleCount);
  await eventually("the page measures again", async () => (await page.evaluate(sampleCount)) > before || before > 250);
  await again.stop();
}
