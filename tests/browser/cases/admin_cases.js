// SPDX-License-Identifier: Apache-2.0
// The admin pages of `fairlead serve`: sign-in, live plots, clients, channels, the trace, events, certificates, limits,
// with a client of the console as the one that is looked at.
import assert from "node:assert/strict";
import { clickId, fill, stateOfPage, textOfId, textsOf } from "../in_page.js";
import { eventually } from "../suite.js";
import { takePictures } from "./server_pictures.js";

export async function adminCases({ suite, browser, fairlead }) {
  const server = await fairlead.realtime();
  const label = (text) => `${browser.name}: ${text}`;
  const visitor = await visit(browser, server);
  const page = await browser.open(`https://${server.host}/admin/`);
  const shown = (selector) => page.evaluate(textsOf, selector);
  const go = (view) => page.evaluate((name) => (location.hash = name), view);
  const submit = (form) => page.evaluate((id) => document.getElementById(id).requestSubmit(), form);

  await suite.run(label("a wrong password is refused with a sentence, the right one opens the pages"), 30_000, async () => {
    await eventually("the sign-in is shown", () => page.evaluate(() => !document.getElementById("sign-in").hidden));
    await page.type("#password", "wrong");
    await page.press("Enter");
    await eventually("a refusal", async () => (await page.evaluate(textOfId, "sign-in-fault")) === "The password is wrong.");
    await takePictures(browser, page, "admin-sign-in");
    await page.evaluate(fill, { password: server.password });
    await submit("sign-in");
    await eventually("it is live", async () => (await page.evaluate(stateOfPage)) === "open");
    page.forgive(/\b401\b/); // browsers report every answer of 4xx on their console
  });

  await suite.run(label("the overview draws and counts"), 60_000, async () => {
    await eventually("four points", () => page.evaluate(() => Number(document.getElementById("plot-connections").dataset.points) >= 4), 30_000);
    assert.equal(await page.evaluate(textOfId, "now-connections"), "1");
    assert.match(await page.evaluate(textOfId, "now-memory"), /^[\d.]+ MB$/);
    assert.match(await page.evaluate(textOfId, "now-certificate"), /^\d+ days$/);
    assert.match(await page.evaluate(() => document.querySelector("#plot-memory .line").getAttribute("d")), /^M[\d.]+ [\d.]+L/);
    await takePictures(browser, page, "admin-overview");
  });

  await suite.run(label("a page that is loaded anew is still signed in, on the view of its address"), 30_000, async () => {
    await go("clients");
    await page.goto(`https://${server.host}/`);
    await page.goto(`https://${server.host}/admin/#clients`);
    await eventually("the client is listed", async () => (await shown("#clients-rows tr")).length === 1);
    assert.match((await shown("#clients-rows tr"))[0], /ada.*websocket.*news/s);
    await page.evaluate(fill, { "clients-user": "nobody-else" });
    await submit("clients-form");
    await eventually("nobody fits", async () => /^Nobody/.test(await page.evaluate(textOfId, "clients-note")));
    await page.evaluate(fill, { "clients-user": "" });
    await submit("clients-form");
    await eventually("it is listed again", async () => (await shown("#clients-rows tr")).length === 1);
    await takePictures(browser, page, "admin-clients");
  });

  await suite.run(label("channels: list, publish, presence, history"), 60_000, async () => {
    await go("channels");
    await eventually("the channel is listed", async () => (await shown("#channels-rows tr")).some((text) => /^news/.test(text)));
    await page.evaluate(fill, { "one-channel": "news", "one-data": '{"text":"from the admin page"}' });
    await submit("one-form");
    await eventually("it is published", async () => /^Published into news as \d+/.test(await page.evaluate(textOfId, "one-note")));
    await eventually("the client hears it", async () => (await visitor.evaluate(textOfId, "journal")).includes("from the admin page"));
    await page.evaluate(clickId, "one-presence");
    await eventually("ada is here", async () => (await shown("#one-table tbody tr")).some((text) => text.startsWith("ada")));
    await page.evaluate(clickId, "one-history");
    await eventually("the history has it", async () => (await shown("#one-table tbody tr")).some((text) => text.includes("from the admin page")));
    await takePictures(browser, page, "admin-channels");
  });

  await suite.run(label("the trace says in a sentence what happened"), 30_000, async () => {
    const client = await visitor.evaluate(textOfId, "client-id");
    await go("trace");
    await page.evaluate(fill, { "trace-client": client, "trace-channel": "news" });
    await submit("trace-form");
    await eventually("a sentence and records", async () =>
      (await page.evaluate(textOfId, "trace-sentence")).length > 10 && (await shown("#trace-rows tr")).length > 0);
    await takePictures(browser, page, "admin-trace");
  });

  await suite.run(label("events, certificates and limits are shown"), 60_000, async () => {
    await go("events");
    await eventually("ada's coming is told", async () => (await shown("#events-rows tr")).some((text) => /subscribed.*ada.*news/s.test(text)));
    await takePictures(browser, page, "admin-events");
    await go("certificates");
    await eventually("the certificate is there", async () => (await shown("#certificates-rows tr")).some((text) => /localhost/.test(text)));
    await takePictures(browser, page, "admin-certificates");
    await go("limits");
    await eventually("the limits are there", async () => (await shown("#limits-rows tr")).length > 20);
    await page.evaluate(fill, { "limits-filter": "history_size" });
    assert.ok((await page.evaluate(() => Array.from(document.querySelectorAll("#limits-rows tr:not([hidden])"), (row) => row.textContent)))
      .every((text) => text.includes("history_size")));
    await takePictures(browser, page, "admin-limits");
  });

  await suite.run(label("the keyboard reaches every view"), 20_000, async () => {
    await page.evaluate(() => document.querySelector("#tabs a").focus());
    for (const name of ["clients", "channels", "trace"]) {
      await page.press("Tab");
      await page.press("Enter");
      await eventually(`${name} is shown`, () => page.evaluate((id) => !document.getElementById(`view-${id}`).hidden, name));
    }
  });

  await suite.run(label("a client is sent away, and signing out closes the pages"), 30_000, async () => {
    await go("clients");
    await eventually("the client is listed", async () => (await shown("#clients-rows tr")).length === 1);
    await page.evaluate(() => document.querySelector("#clients-rows .danger").click());
    await eventually("it is gone", async () => (await visitor.evaluate(textOfId, "journal")).includes("(3503)"));
    assert.deepEqual(page.problems, []);
    await page.evaluate(clickId, "leave");
    await eventually("the sign-in is shown", () => page.evaluate(() => !document.getElementById("sign-in").hidden));
    const status = await page.evaluate(() => fetch("/admin/api/overview").then((answer) => answer.status));
    assert.equal(status, 401);
  });

  await page.close();
  await visitor.close();
  await server.stop();
}

async function visit(browser, server) {
  const page = await browser.open(`https://${server.host}/console/`);
  await page.evaluate(fill, { user: "ada" });
  await page.evaluate(clickId, "connect");
  await eventually("ada is connected", async () => (await page.evaluate(stateOfPage)) === "open", 20_000);
  await page.evaluate(fill, { "subscribe-channel": "news", measure: false });
  await page.evaluate(clickId, "subscribe");
  await eventually("ada is subscribed", async () => (await page.evaluate(textOfId, "journal")).includes("subscribed to news"));
  return page;
}
