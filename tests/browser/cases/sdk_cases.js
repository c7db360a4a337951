// SPDX-License-Identifier: Apache-2.0
// The cases of tests/sdk, word for word, in the browser itself: its WebSocket, its fetch, its EventSource, from a page of
// another origin.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { SdkSite } from "../sdk/site.js";
import { eventually } from "../suite.js";

const teardownMs = 10_000;

export async function sdkCases({ suite, browser, fairlead, directory }) {
  const folder = join(directory, "sdk");
  mkdirSync(folder, { recursive: true });
  const site = await SdkSite.start({ ...fairlead, folder });
  const page = await browser.open(site.url);
  await page.front();
  try {
    const cases = await page.evaluate(() => globalThis.sdkCases);
    assert.ok(cases.length > 40, `${cases.length} cases`);
    for (const { name, seconds } of cases) {
      await suite.run(`${browser.name}: SDK: ${name}`, seconds * 1_000 + teardownMs, async () => {
        await page.evaluate((wanted) => globalThis.beginSdkCase(wanted), name);
        const outcome = await eventually("the outcome", () => page.evaluate(() => globalThis.outcome), seconds * 1_000);
        if (outcome !== "passed") throw new Error(outcome);
      });
    }
  } finally {
    await page.close();
    await site.stop();
  }
}
