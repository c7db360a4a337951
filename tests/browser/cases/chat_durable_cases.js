// SPDX-License-Identifier: Apache-2.0
// The chat on the durable engine, with a server that is killed in the middle: nothing is lost, doubled or out of order,
// between two windows of one browser, and between two browsers.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { eventually, pause } from "../suite.js";
import { ChatServer } from "./chat_server.js";
import { enter, heard, isHidden, isWaiting, lines, openTalk, saying } from "./chat_people.js";
import { takePictures } from "./server_pictures.js";

const rounds = 60;
const killAfter = [15, 35];
const awayFor = 8; // rounds, in which both go on writing
const counted = (all) => all.filter((line) => /: (ada|bob) \d+$/.test(line));

// Both write all the time, also while the server is away, and the second time it dies while they send what waited.
export async function talkThroughKills({ ada, bob, server }) {
  const pages = [ada, bob];
  for (let round = 1; round <= rounds; round += 1) {
    await Promise.all([ada.evaluate(saying, `ada ${round}`), bob.evaluate(saying, `bob ${round}`)]);
    if (killAfter.includes(round)) await server.kill();
    if (killAfter.includes(round - awayFor)) {
      for (const page of pages) {
        await page.front();
        await eventually("the banner", async () => !(await page.evaluate(isHidden, "banner")), 30_000);
        assert.equal(await page.evaluate(isWaiting), true, "what is written waits");
      }
      await server.restart();
    }
    if (killAfter.includes(round + 1)) {
      for (const page of pages) await eventually("the return", () => page.evaluate(isHidden, "banner"), 60_000);
    }
  }
  for (const page of pages) {
    await page.front();
    await eventually("everything is sent", async () => (await page.evaluate(isHidden, "banner")) && !(await page.evaluate(isWaiting)), 90_000);
    await eventually("everything is heard", async () => counted(await page.evaluate(lines)).length >= 2 * rounds, 30_000);
  }
  const said = counted(await ada.evaluate(lines));
  assert.deepEqual(counted(await bob.evaluate(lines)), said, "both see the same, in the same order");
  for (const name of ["ada", "bob"]) {
    const wanted = Array.from({ length: rounds }, (_, index) => `${name}: ${name} ${index + 1}`);
    assert.deepEqual(said.filter((line) => line.startsWith(name)), wanted);
  }
}

export async function chatDurableCases({ suite, browser, fairlead, directory }) {
  const label = (text) => `${browser.name}: chat: ${text}`;
  mkdirSync(directory, { recursive: true });
  const server = await ChatServer.start(fairlead, { options: ["--engine", `sqlite:${join(directory, "chat.db")}`] });
  const ada = await enter(browser, server, "ada");
  const bob = await enter(browser, server, "bob");

  await suite.run(label("the server is killed and comes back in the middle: nothing is lost, doubled or out of order"), 240_000, () =>
    talkThroughKills({ ada, bob, server }));

  await suite.run(label("a newcomer scrolls back to the beginning, in the same order"), 80_000, async () => {
    const all = await ada.evaluate(lines);
    const eve = await enter(browser, server, "eve");
    assert.ok((await eve.evaluate(lines)).length <= 110, "not everything at once");
    const top = await eve.evaluate(() => document.querySelector("#log .message").id);
    await eventually("older ones", () => eve.evaluate((id) => {
      if (document.querySelector("#log .message").id !== id) return true;
      document.getElementById("log").scrollTop = 0; // what comes before it has been noticed keeps the end in sight
      return false;
    }, top));
    const moved = await eve.evaluate((id) => document.getElementById(id).getBoundingClientRect().top - document.getElementById("log").getBoundingClientRect().top, top);
    assert.ok(moved > -100 && moved < 200, `what was on top is still near it: ${moved} px`);
    await eventually("the beginning", async () => {
      await eve.evaluate(() => (document.getElementById("log").scrollTop = 0));
      return eve.evaluate(() => document.getElementById("log").textContent.includes("This is where it began"));
    }, 30_000);
    assert.deepEqual(await eve.evaluate(lines), all);
    await eve.close();
  });

  await suite.run(label("what was written without a server survives the closing of the page"), 80_000, async () => {
    await server.kill();
    await ada.evaluate(saying, "written at sea");
    await heard(ada, "ada: written at sea");
    const kept = await ada.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("fairlead-chat/queue/ada/")).length);
    assert.equal(kept, 1);
    await server.restart();
    await ada.evaluate(() => location.reload()).catch(() => {});
    await heard(bob, "ada: written at sea", 60_000);
    await pause(500); // a second one would come right behind it
    assert.equal((await bob.evaluate(lines)).filter((line) => line === "ada: written at sea").length, 1);
  });

  await suite.run(label("the banner tells that the connection is lost, and its button does not wait for the next attempt"), 60_000, async () => {
    await bob.evaluate(openTalk, "room-lobby");
    await server.kill();
    await bob.front();
    await eventually("the banner", async () => /The connection is lost/.test(await bob.evaluate(() => document.getElementById("banner").innerText)), 30_000);
    await bob.evaluate(saying, "waits for the server");
    await eventually("it says that one waits", async () => /1 message waits to be sent/.test(await bob.evaluate(() => document.getElementById("banner").innerText)));
    await takePictures(browser, bob, "chat-banner", { only: ["light", "phone"] });
    await server.restart();
    await bob.evaluate(() => document.getElementById("banner-retry").click());
    await eventually("it is back", () => bob.evaluate(isHidden, "banner"), 30_000);
    await heard(ada, "bob: waits for the server");
  });

  await ada.close();
  await bob.close();
  await server.stop();
}

// ada in one browser and bob in the other, with the backend of the example beside the server, as `./dev run` has it.
export async function crossingCases({ suite, browsers: [first, second], fairlead, directory }) {
  const title = `${first.name} and ${second.name}: chat: over WSS with each other, while the server is killed and comes back twice`;
  await suite.run(title, 240_000, async () => {
    const server = await ChatServer.startWithBackend(fairlead, directory, { options: ["--engine", `sqlite:${join(directory, "crossing.db")}`] });
    const [ada, bob] = await Promise.all([enter(first, server, "ada"), enter(second, server, "bob")]);
    await talkThroughKills({ ada, bob, server });
    for (const page of [ada, bob]) await page.close();
    await server.stop();
  });
}
