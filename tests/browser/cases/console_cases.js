// SPDX-License-Identifier: Apache-2.0
// The start page, the API's page and the console of `fairlead serve`: every transport and format connects, subscribes,
// publishes and shows the frames; presence, history and the round trip answer.
import assert from "node:assert/strict";
import { clickId, fill, journalLines, sampleCount, stateOfPage, textOfId, textsOf } from "../in_page.js";
import { eventually } from "../suite.js";
import { takePictures } from "./server_pictures.js";

const ways = [["websocket", "json"], ["websocket", "protobuf"], ["http_stream", "json"], ["http_stream", "protobuf"], ["sse", "json"]];

export async function consoleCases({ suite, browser, fairlead }) {
  const server = await fairlead.realtime();
  const label = (text) => `${browser.name}: ${text}`;

  await suite.run(label("the start page tells that the server is ready, and where everything is"), 120_000, async () => {
    const page = await browser.open(`https://${server.host}/`);
    await eventually("it is ready", async () => (await page.evaluate(stateOfPage)) === "open");
    assert.match(await page.evaluate(textOfId, "version"), /^fairlead \d/);
    assert.match(await page.evaluate(textOfId, "transports"), /WebSocket, HTTP stream, server-sent events/);
    const links = await page.evaluate(() => Array.from(document.querySelectorAll(".card"), (card) => card.hidden ? "" : card.pathname));
    for (const path of links.filter((one) => one !== "")) {
      assert.equal(await page.evaluate((where) => fetch(where).then((answer) => answer.status), path), 200, path);
    }
    assert.ok(["/console/", "/admin/", "/channel/", "/reference/"].every((path) => links.includes(path)), links.join());
    await takePictures(browser, page, "start");
    assert.deepEqual(page.problems, []);
    await page.close();
  });

  await suite.run(label("the API's page shows every method of the description"), 120_000, async () => {
    const page = await browser.open(`https://${server.host}/reference/`);
    await eventually("the methods are there", async () => (await page.evaluate(textsOf, "#list h3")).length > 0);
    const methods = await page.evaluate(textsOf, "#list h3");
    const described = await page.evaluate(() => fetch("/api/openapi.json").then((answer) => answer.json()).then(({ paths }) => Object.keys(paths)));
    assert.deepEqual(methods.map((name) => `/${name}`), described);
    await takePictures(browser, page, "reference");
    assert.deepEqual(page.problems, []);
    await page.close();
  });

  await suite.run(label("the channel page works on the real-time server too"), 30_000, async () => {
    const page = await browser.open(`https://${server.host}/channel/`);
    await eventually("it is connected", async () => (await page.evaluate(stateOfPage)) === "open");
    await eventually("the facts are there", async () => (await page.evaluate(textOfId, "fact-tls")) === "TLSv1.3");
    await eventually("it measures", async () => (await page.evaluate(sampleCount)) >= 3);
    assert.deepEqual(page.problems, []);
    await page.close();
  });

  const page = await browser.open(`https://${server.host}/console/`);
  for (const [transport, format] of ways) {
    await suite.run(label(`the console over ${transport} in ${format}: subscribe, publish, presence, history, every frame`), 60_000, async () => {
      await conversation(page, transport, format);
    });
  }

  await suite.run(label("the console pages through a history, and tells what a channel refuses"), 30_000, async () => {
    await page.evaluate(fill, { channel: "news", "history-limit": "2", "history-newest": true });
    const offsets = async (button) => {
      await page.evaluate((id) => (document.getElementById(id).textContent = ""), "channel-answer");
      await page.evaluate(clickId, button);
      const text = await eventually("an answer", () => page.evaluate(textOfId, "channel-answer"));
      return JSON.parse(text).publications.map(({ offset }) => offset);
    };
    const first = await offsets("history");
    const second = await offsets("history-more");
    assert.deepEqual([first.length, second.length], [2, 2]);
    assert.deepEqual([...first, ...second], [0, 1, 2, 3].map((step) => first[0] - step));
    await page.evaluate(fill, { channel: "nowhere:x" });
    await page.evaluate(clickId, "presence");
    await eventually("a refusal", async () => /\(102\)/.test(await page.evaluate(textOfId, "channel-answer")));
    await page.evaluate(fill, { filter: "= 3", channel: "news" });
    await page.evaluate(clickId, "subscribe");
    assert.match(await page.evaluate(textOfId, "subscribe-fault"), /is no comparison/);
    await page.evaluate(fill, { filter: "" });
  });

  await suite.run(label("a tags filter lets through what fits"), 60_000, async () => {
    await page.evaluate(fill, { "subscribe-channel": "ticks", filter: "ticker = BTC", recover: false });
    await page.evaluate(clickId, "subscribe");
    await eventually("it is subscribed", async () => (await events(page)).includes("subscribed to ticks"));
    for (const ticker of ["ETH", "BTC"]) {
      await publishByApi(page, server, { channel: "ticks", data: { ticker }, tags: { ticker } });
    }
    await eventually("BTC is heard", async () => (await publications(page, "ticks")).length > 0);
    assert.deepEqual((await publications(page, "ticks")).map(({ text }) => /"ticker": "(\w+)"/.exec(text)?.[1]), ["BTC"]);
    await page.evaluate(fill, { filter: "", recover: true });
  });

  await suite.run(label("the console measures the round trip, and finds what is looked for"), 120_000, async () => {
    await eventually("three samples", async () => (await page.evaluate(sampleCount)) >= 3, 30_000);
    assert.ok((await page.evaluate(journalLines)).filter(({ text }) => /console\.latency/.test(text)).every(({ shown }) => !shown));
    await page.evaluate(fill, { "journal-filter": "ticks" });
    const shown = (await page.evaluate(journalLines)).filter((line) => line.shown);
    assert.ok(shown.length > 0 && shown.every(({ what, text }) => `${what}${text}`.includes("ticks")));
    await page.evaluate(fill, { "journal-filter": "" });
    await page.evaluate(() => (document.querySelector("#journal details").open = true));
    await takePictures(browser, page, "console");
    assert.deepEqual(page.problems, []);
  });

  await page.close();
  await server.stop();
}

const events = async (page) => (await page.evaluate(journalLines)).filter(({ direction }) => direction === "event").map(({ what }) => what);
const publications = async (page, channel) =>
  (await page.evaluate(journalLines)).filter(({ direction, what }) => direction === "in" && what.includes(`publication ${channel}`));

async function publishByApi(page, server, body) {
  const status = await page.evaluate(([key, text]) =>
    fetch("/api/publish", { method: "POST", headers: { "X-API-Key": key }, body: text }).then((answer) => answer.status), [server.apiKey, JSON.stringify(body)]);
  assert.equal(status, 200);
}

async function conversation(page, transport, format) {
  const said = `${transport} speaks ${format}, also naïve €`;
  await page.evaluate(clickId, "disconnect");
  await page.evaluate(clickId, "journal-clear");
  await page.evaluate(fill, { user: "ada", transport, format, data: JSON.stringify({ said }) });
  await page.evaluate(fill, { channel: "news", "subscribe-channel": "news", "history-limit": "10" });
  await page.evaluate(clickId, "connect");
  await eventually("it is connected", async () => (await page.evaluate(stateOfPage)) === "open", 15_000)
    .catch(async (error) => Promise.reject(new Error(`${error.message}: ${(await events(page)).join(" | ")} ${page.problems.join(" | ")}`)));
  await page.evaluate(clickId, "subscribe");
  await eventually("it is subscribed", async () => (await events(page)).some((what) => what.startsWith("subscribed to news")));
  await page.evaluate(clickId, "publish");
  await eventually("the publication arrives", async () => (await publications(page, "news")).some(({ text }) => text.includes(said)));
  const lines = await page.evaluate(journalLines);
  const frames = lines.filter(({ direction }) => direction !== "event");
  for (const [direction, what] of [["out", "connect"], ["in", "connect"], ["out", "subscribe news"], ["in", "subscribe"], ["out", "publish news"]]) {
    assert.ok(frames.some((frame) => frame.direction === direction && frame.what.includes(what)), `${direction} ${what}`);
  }
  assert.ok(frames.every(({ what, size }) => what !== "not understood" && /^[\d.]+ k?B$/.test(size)), JSON.stringify(frames.map(({ what, size }) => [what, size])));
  await page.evaluate(clickId, "presence");
  await eventually("ada is here", async () => /"user": "ada"/.test(await page.evaluate(textOfId, "channel-answer")));
  await page.evaluate(clickId, "history");
  await eventually("the history has it", async () => (await page.evaluate(textOfId, "channel-answer")).includes(said));
}
