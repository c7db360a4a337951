// SPDX-License-Identifier: Apache-2.0
// The shared room: two windows and a terminal hear the same conversation in the same order; markup is text.
import assert from "node:assert/strict";
import { conversation, memberNames, textOfId } from "../in_page.js";
import { eventually } from "../suite.js";
import { openDemo } from "./page_cases.js";

const rounds = 8;

export async function roomCases({ suite, browser, fairlead }) {
  const demo = await fairlead.demo();
  const label = (text) => `${browser.name}: ${text}`;
  const first = await openDemo(browser, demo);
  const second = await openDemo(browser, demo);
  let terminal;

  await suite.run(label("the command on the page brings a terminal into the room"), 20_000, async () => {
    const command = await first.evaluate(textOfId, "join-command");
    const known = ["dev", fairlead.ca].map((ca) => `fairlead connect wss://${demo.host}/room --ca ${ca}`);
    assert.ok(known.includes(command), command);
    terminal = fairlead.run(command.split(" ").slice(1));
    await eventually("three members", async () => (await first.evaluate(memberNames)).length === 3);
  });

  await suite.run(label("members rename themselves, from the page and from the terminal"), 20_000, async () => {
    await say(first, "/name ada");
    await rename(second, "grace");
    terminal.write("/name linus");
    for (const page of [first, second]) {
      await eventually("all names are known", async () => (await page.evaluate(memberNames)).sort().join() === "ada,grace,linus");
    }
  });

  await suite.run(label("two windows and a terminal hear the same messages in the same order"), 40_000, async () => {
    for (let round = 1; round <= rounds; round += 1) {
      terminal.write(`terminal ${round}`);
      await Promise.all([say(first, `first ${round}`), say(second, `second ${round}`)]);
    }
    const all = async (page) => {
      await eventually("all messages are shown", async () => (await page.evaluate(conversation)).length === 3 * rounds);
      return page.evaluate(conversation);
    };
    const heard = await all(first);
    assert.deepEqual(await all(second), heard);
    const inTerminal = () => terminal.lines.filter((line) => /^(ada|grace|linus): /.test(line));
    await eventually("the terminal heard all", () => inTerminal().length === 3 * rounds);
    assert.deepEqual(inTerminal(), heard);
    for (const [name, word] of [["ada", "first"], ["grace", "second"], ["linus", "terminal"]]) {
      const own = heard.filter((line) => line.startsWith(`${name}: `));
      assert.deepEqual(own, Array.from({ length: rounds }, (_, index) => `${name}: ${word} ${index + 1}`));
    }
  });

  await suite.run(label("markup is shown as text"), 10_000, async () => {
    const markup = "<img src=x onerror=document.title='owned'><b>hi</b>";
    terminal.write(markup);
    await eventually("it is shown", async () => (await second.evaluate(conversation)).at(-1) === `linus: ${markup}`);
    assert.equal(await second.evaluate(() => document.querySelectorAll("#room-log img, #room-log b").length), 0);
    assert.equal(await second.evaluate(() => document.title), "Fairlead");
  });

  await suite.run(label("somebody who types is seen typing"), 10_000, async () => {
    await first.type("#say", "hm");
    await eventually("typing is shown", async () => (await second.evaluate(textOfId, "room-typing")) === "ada is typing…");
    await first.press("Enter");
  });

  await suite.run(label("a newcomer sees the history; the terminal's leaving is seen, and is a clean exit"), 20_000, async () => {
    const third = await openDemo(browser, demo);
    const history = await eventually("history", async () => {
      const lines = await third.evaluate(conversation);
      return lines.includes("ada: hm") && lines;
    });
    assert.deepEqual(history.slice(-3 * rounds), (await first.evaluate(conversation)).slice(-3 * rounds));
    await third.close();
    terminal.child.stdin.end();
    assert.deepEqual(await terminal.ended(), { code: 0, signal: null });
    await eventually("it has left", async () => (await first.evaluate(memberNames)).sort().join() === "ada,grace");
  });

  await suite.run(label("a text of 2,000 characters arrives whole"), 15_000, async () => {
    const long = "é".repeat(2_000);
    await first.evaluate((text) => {
      document.getElementById("say").value = text;
      document.getElementById("room-send").click();
    }, long);
    await eventually("it is shown", async () => (await second.evaluate(conversation)).at(-1) === `ada: ${long}`);
  });

  await suite.run(label("the room left no console error"), 5_000, async () => {
    assert.deepEqual([...first.problems, ...second.problems], []);
  });

  await second.close();
  await first.close();
  await demo.stop();
}

async function say(page, text) {
  await page.type("#say", text);
  await page.press("Enter");
}

async function rename(page, name) {
  await page.evaluate(() => (document.getElementById("name").value = ""));
  await page.type("#name", name);
  await page.press("Enter");
}
