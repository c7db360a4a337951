// SPDX-License-Identifier: Apache-2.0
// A page of the server as it looks now: light, dark, and as wide as a phone. Under build/browser/.
import assert from "node:assert/strict";
import { mkdirSync, statSync } from "node:fs";
import { widthBeyondWindow } from "../in_page.js";
import { pause } from "../suite.js";

const folder = "build/browser";
const looks = [["light", 1280, 860, "light"], ["dark", 1280, 860, "dark"], ["phone", 390, 844, "light"], ["phone-dark", 390, 844, "dark"]];

export async function takePictures(browser, page, name) {
  mkdirSync(folder, { recursive: true });
  for (const [look, width, height, scheme] of looks) {
    const asked = await page.colorScheme(scheme);
    if (scheme === "dark" && !asked) continue; // only Chromium's protocol can ask for it
    await page.resize(width, height);
    await pause(300);
    const path = `${folder}/${browser.name}-${name}-${look}.png`;
    await page.screenshot(path);
    assert.ok(statSync(path).size > 5_000, path);
    const beyond = await page.evaluate(widthBeyondWindow);
    assert.ok(beyond <= 0, `${path}: ${beyond} px wider than the window`);
  }
  await page.colorScheme("light");
  await page.resize(1280, 860);
}
