// SPDX-License-Identifier: Apache-2.0
// Pictures of the page with some life in it, for eyes: light, dark, and as wide as a phone. Under build/browser/.
import assert from "node:assert/strict";
import { mkdirSync, statSync } from "node:fs";
import { eventually } from "../suite.js";
import { sampleCount } from "../in_page.js";
import { openDemo } from "./page_cases.js";

const folder = "build/browser";
const words = [
  ["ada", "The line runs fair, the kettle is on."],
  ["grace", "Seven bells. Anyone seen the chart for tomorrow?"],
  ["ada", "On the table, under the almanac."],
  ["linus", "hello from a terminal"],
];

export async function pictures({ suite, browser, fairlead }) {
  await suite.run(`${browser.name}: pictures`, 60_000, async () => {
    mkdirSync(folder, { recursive: true });
    const demo = await fairlead.demo();
    const page = await openDemo(browser, demo);
    const terminals = await populate(fairlead, demo);
    await eventually("a curve", async () => (await page.evaluate(sampleCount)) >= 60, 25_000);
    for (const [name, width, height, scheme] of [["light", 1280, 860, "light"], ["dark", 1280, 860, "dark"], ["phone", 375, 812, "light"]]) {
      const asked = await page.colorScheme(scheme);
      if (scheme === "dark" && !asked) continue; // only Chromium's protocol can ask for it
      await page.resize(width, height);
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 500)));
      const path = `${folder}/${browser.name}-${name}.png`;
      await page.screenshot(path);
      assert.ok(statSync(path).size > 10_000, path);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${name}: ${overflow} px wider than the window`);
    }
    await page.close();
    await Promise.all(terminals.map((terminal) => terminal.stop()));
    await demo.stop();
  });
}

async function populate(fairlead, demo) {
  const terminals = new Map();
  for (const [name, text] of words) {
    if (!terminals.has(name)) {
      const terminal = fairlead.run(["connect", `wss://${demo.host}/room`, "--ca", fairlead.ca]);
      terminals.set(name, terminal);
      terminal.write(`/name ${name}`);
    }
    terminals.get(name).write(text);
    await terminals.get(name).says(new RegExp(`^${name}: ${text.slice(0, 10)}`));
  }
  return [...terminals.values()];
}
