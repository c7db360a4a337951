// SPDX-License-Identifier: Apache-2.0
// A page of the server as it looks now: light, dark, and as wide as a phone, below build/browser/. In each look it has
// to fit into the window and, in Chromium, to satisfy axe-core: names, roles, contrast, order.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { widthBeyondWindow } from "../in_page.js";
import { pause } from "../suite.js";

const folder = "build/browser";
const looks = [["light", 1280, 860, "light"], ["dark", 1280, 860, "dark"], ["phone", 375, 812, "light"], ["phone-dark", 375, 812, "dark"]];
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function takePictures(browser, page, name, { only = looks.map(([look]) => look), without = [] } = {}) {
  mkdirSync(folder, { recursive: true });
  await page.front();
  try {
    for (const [look, width, height, scheme] of looks.filter(([look]) => only.includes(look))) {
      const asked = await page.colorScheme(scheme);
      if (scheme === "dark" && !asked) continue; // only Chromium's protocol can ask for it
      await page.resize(width, height);
      await pause(300); // what moves has come to rest
      await takePicture(browser, page, `${name}-${look}`, without);
    }
  } finally {
    await page.colorScheme("light");
    await page.resize(1280, 860);
  }
}

async function takePicture(browser, page, name, without) {
  const beyond = await page.evaluate(widthBeyondWindow);
  assert.ok(beyond <= 0, `${name}: ${beyond} px wider than the window`);
  const path = `${folder}/${browser.name}-${name}.png`;
  await page.screenshot(path);
  assert.ok(statSync(path).size > 5_000, path);
  if (browser.name === "chromium") await assertAccessible(page, name, without);
}

// `without` names rules that cannot hold there.
async function assertAccessible(page, what, without) {
  await page.evaluate(axe);
  const found = await page.evaluate(async (names) => {
    const rules = Object.fromEntries(names.map((name) => [name, { enabled: false }]));
    const { violations, passes } = await globalThis.axe.run(document, { resultTypes: ["violations"], rules });
    const faults = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" | ")}`);
    return { faults, checked: passes.length };
  }, without);
  assert.ok(found.checked > 10, `${what}: axe checked ${found.checked} rules`);
  assert.deepEqual(found.faults, [], what);
}
