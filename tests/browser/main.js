// SPDX-License-Identifier: Apache-2.0
// Puts the browsers and the cases together. Everything is bounded: each case, each browser, and the whole.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BlankSite } from "./blank_site.js";
import { startChromium, startFirefox } from "./browsers/puppeteer.js";
import { startWebKit } from "./browsers/webkit.js";
import { adminCases } from "./cases/admin_cases.js";
import { buildCases } from "./cases/build_cases.js";
import { chatCases } from "./cases/chat_cases.js";
import { crossingCases } from "./cases/chat_durable_cases.js";
import { consoleCases } from "./cases/console_cases.js";
import { pageCases } from "./cases/page_cases.js";
import { pictures } from "./cases/pictures.js";
import { roomCases } from "./cases/room_cases.js";
import { sdkCases } from "./cases/sdk_cases.js";
import { socketCases } from "./cases/socket_cases.js";
import { trustCases } from "./cases/trust_cases.js";
import { Fairlead } from "./fairlead.js";
import { stopAll } from "./processes.js";
import { Suite, within } from "./suite.js";

const browsers = { chromium: startChromium, firefox: startFirefox, webkit: startWebKit };
const browserLimitMs = 12 * 60_000;
const channelGroups = [pageCases, roomCases, socketCases, pictures];
const serverGroups = [consoleCases, adminCases, chatCases, sdkCases];
// Those of the channel, unless others are named: `FAIRLEAD_CASES=console,chat`.
const chosen = process.env.FAIRLEAD_CASES?.split(",").map((name) => `${name}Cases`);
const isWanted = (group) => chosen?.includes(group.name);
const groups = chosen ? [...channelGroups, ...serverGroups].filter(isWanted) : channelGroups;

async function browserCases(suite, name, directory) {
  const context = { suite, name, directory: join(directory, name), start: browsers[name], fairlead: new Fairlead(directory) };
  await context.fairlead.makeDevelopmentCertificate();
  context.plainSite = await BlankSite.plain();
  context.site = await BlankSite.secure(context.fairlead);
  context.browser = await trustCases(context);
  if (!context.browser) return;
  try {
    // A group that breaks outside its cases must not take the others with it.
    for (const group of groups) {
      await group(context).catch((error) => suite.run(`${name}: ${group.name}`, 1_000, () => Promise.reject(error)));
    }
  } finally {
    await context.browser.close();
    context.site.stop();
    context.plainSite.stop();
  }
}

// Two browsers at once, where there are two.
async function betweenBrowsers(suite, names, directory) {
  const fairlead = new Fairlead(directory);
  await fairlead.makeDevelopmentCertificate();
  const both = [];
  try {
    for (const name of names) both.push(await browsers[name]({ ...fairlead, directory: join(directory, "crossing", name) }));
    await crossingCases({ suite, browsers: both, fairlead, directory });
  } finally {
    for (const browser of both) await browser.close();
  }
}

async function main(wanted) {
  const suite = new Suite();
  const directory = mkdtempSync(join(tmpdir(), "fairlead-browser-"));
  try {
    if (wanted.length === 0) await buildCases(suite);
    for (const name of wanted.length > 0 ? wanted : Object.keys(browsers)) {
      await within(browserLimitMs, name, browserCases(suite, name, directory))
        .catch((error) => suite.run(`${name}: runs to its end`, 1_000, () => Promise.reject(error)));
      await stopAll();
    }
    if (isWanted(crossingCases) && wanted.length > 1) {
      await within(browserLimitMs, "crossing", betweenBrowsers(suite, wanted.slice(0, 2), directory))
        .catch((error) => suite.run("two browsers: run to their end", 1_000, () => Promise.reject(error)));
    }
  } finally {
    await stopAll();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
  process.exit(suite.finish() ? 0 : 1);
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stopAll().then(() => process.exit(130)));
await main(process.argv.slice(2));
