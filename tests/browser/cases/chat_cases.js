// SPDX-License-Identifier: Apache-2.0
// The chat, as people use it: rooms, direct messages, receipts, edits, pictures, a phone, and a server that dies.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Process } from "../processes.js";
import { eventually, pause } from "../suite.js";

const folder = "build/browser";
const lines = () => Array.from(document.querySelectorAll("#log .message"), (message) =>
  `${message.querySelector(".from").textContent}: ${message.querySelector(".text")?.textContent ?? ""}`);
const unreadOf = (key) => document.querySelector(`[data-key="${key}"] .badge:not([hidden])`)?.textContent ?? "";
const statusOfLast = () => Array.from(document.querySelectorAll("#log .message.own"), (one) => one.querySelector(".status")?.textContent ?? "").at(-1) ?? "";
const peopleHere = () => Array.from(document.querySelectorAll("#people .name"), (name) => name.textContent).sort();
const textOf = (id) => document.getElementById(id).textContent;
const isHidden = (id) => document.getElementById(id).hidden;
const openTalk = (key) => document.querySelector(`[data-key="${key}"] .talk-link`).click();

async function enter(browser, server, name, words = "") {
  const page = await browser.open(`https://${server.host}/chat/${words}`);
  await eventually("the form", () => page.evaluate(() => !document.getElementById("sign-in-name").hidden));
  await page.evaluate(() => (document.getElementById("name").value = ""));
  await page.type("#name", name);
  await page.press("Enter");
  await eventually(`${name} is in`, () => page.evaluate(() => document.getElementById("banner").hidden &&
    !document.getElementById("app").hidden && !/Loading…$/.test(document.getElementById("log").textContent)), 30_000);
  return page;
}
async function say(page, text) {
  await page.type("#say", text);
  await page.press("Enter");
}
// Keystroke by keystroke is slow: the text is put in, the form is sent.
const saying = (text) => {
  const field = document.getElementById("say");
  field.value = text;
  document.getElementById("composer").requestSubmit();
};
const heard = (page, line) => eventually(`"${line}" is heard`, async () => (await page.evaluate(lines)).includes(line));
// A drawing with so many colours that it does not shrink to nothing.
const pasteAPicture = async () => {
  const canvas = new OffscreenCanvas(1200, 800);
  const context = canvas.getContext("2d");
  for (let index = 0; index < 4_000; index += 1) {
    context.fillStyle = `hsl(${(index * 47) % 360} 70% ${30 + (index % 50)}%)`;
    context.fillRect((index * 131) % 1200, (index * 97) % 800, 60, 40);
  }
  const file = new File([await canvas.convertToBlob({ type: "image/png" })], "drawing.png", { type: "image/png" });
  const transfer = new DataTransfer();
  transfer.items.add(file);
  const field = document.getElementById("say");
  const event = new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true });
  if (event.clipboardData?.files.length) return field.dispatchEvent(event);
  // Where a script may not make a paste with files, it is chosen instead.
  const picker = document.getElementById("picture");
  picker.files = transfer.files;
  return picker.dispatchEvent(new Event("change"));
};
const pictureWidth = () => document.querySelector("#log .picture img")?.naturalWidth ?? 0;

export async function chatCases(context) {
  await conversation(context);
  await withBackend(context);
  await byToken(context);
  await aPhone(context);
}

async function conversation({ suite, browser, fairlead, directory }) {
  const label = (text) => `${browser.name}: chat: ${text}`;
  const database = `sqlite:${join(directory, "chat.db")}`;
  mkdirSync(directory, { recursive: true });
  let server = await fairlead.serve({ options: ["--engine", database] });
  const ada = await enter(browser, server, "ada");
  const bob = await enter(browser, server, "bob");

  await suite.run(label("two people hear each other, and see who is here"), 20_000, async () => {
    await say(ada, "The kettle is on.");
    await heard(bob, "ada: The kettle is on.");
    await say(bob, "On my way.");
    await heard(ada, "bob: On my way.");
    for (const page of [ada, bob]) await eventually("both are here", async () => (await page.evaluate(peopleHere)).join() === "ada,bob");
  });

  await suite.run(label("who types is seen typing, and is so no longer once it is said"), 20_000, async () => {
    await ada.type("#say", "hm");
    await eventually("typing", async () => (await bob.evaluate(textOf, "typing")) === "ada is typing…");
    await ada.press("Enter");
    await eventually("silence", async () => (await bob.evaluate(textOf, "typing")) === "");
  });

  await suite.run(label("one's own message is edited and deleted, for everybody"), 20_000, async () => {
    await say(ada, "a mistkae");
    await heard(bob, "ada: a mistkae");
    await ada.press("ArrowUp");
    await ada.evaluate(() => (document.getElementById("say").value = ""));
    await say(ada, "a mistake");
    for (const page of [ada, bob]) await heard(page, "ada: a mistake");
    await ada.evaluate(() => {
      const press = (text) => Array.from(document.querySelectorAll(".message.own:last-of-type .actions button")).find((one) => one.textContent === text).click();
      press("Delete");
      press("Really delete?");
    });
    for (const page of [ada, bob]) await heard(page, "ada: This message was deleted.");
    assert.equal(await bob.evaluate(() => document.querySelectorAll(".message:not(.own) .actions").length), 0);
  });

  await suite.run(label("direct messages, unread counts, receipts"), 40_000, async () => {
    await ada.evaluate(() => Array.from(document.querySelectorAll("#people button.person")).find((one) => one.textContent.includes("bob")).click());
    await eventually("it is open", async () => (await ada.evaluate(textOf, "talk-title")) === "bob");
    await say(ada, "Between us.");
    await eventually("bob sees one unread", async () => (await bob.evaluate(unreadOf, "dm-#ada,bob")) === "1");
    await eventually("it is delivered", async () => (await ada.evaluate(statusOfLast)) === "Delivered");
    await bob.evaluate(openTalk, "dm-#ada,bob");
    await heard(bob, "ada: Between us.");
    await eventually("it is read", async () => {
      await bob.evaluate(() => window.dispatchEvent(new Event("focus")));
      return (await ada.evaluate(statusOfLast)) === "Read";
    });
    assert.equal(await bob.evaluate(unreadOf, "dm-#ada,bob"), "");
    for (const page of [ada, bob]) await page.evaluate(openTalk, "room-lobby");
  });

  await suite.run(label("a room is made, found by its name, and a small picture goes inside the message"), 80_000, async () => {
    await ada.type("#room-name", "galley");
    await ada.press("Enter");
    await eventually("bob's list knows it", () => bob.evaluate(() => Boolean(document.querySelector('#known-rooms option[value="galley"]'))));
    await bob.type("#room-name", "galley");
    await bob.press("Enter");
    await eventually("bob is in", async () => (await bob.evaluate(textOf, "talk-title")) === "# galley");
    assert.match(await ada.evaluate(textOf, "abilities"), /pictures are sent small/);
    await ada.evaluate(pasteAPicture);
    await eventually("it is attached", async () => !(await ada.evaluate(isHidden, "attached")), 30_000);
    await say(ada, "Look.");
    await heard(bob, "ada: Look.");
    await eventually("bob sees it", async () => (await bob.evaluate(pictureWidth)) > 100, 20_000);
  });

  await suite.run(label("the server is killed and comes back in the middle: nothing is lost, doubled or out of order"), 240_000, async () => {
    const { port } = server;
    for (const page of [ada, bob]) await page.evaluate(openTalk, "room-lobby");
    const rounds = 60;
    const killAfter = new Set([15, 35]);
    let began = 0;
    for (let round = 1; round <= rounds; round += 1) {
      await Promise.all([ada.evaluate(saying, `ada ${round}`), bob.evaluate(saying, `bob ${round}`)]);
      if (killAfter.has(round)) {
        await server.kill();
        began = round;
      }
      if (began !== 0 && round === began + 8) {
        await ada.front();
        await eventually("the banner", async () => !(await ada.evaluate(isHidden, "banner")), 30_000);
        server = await fairlead.serve({ port, options: ["--engine", database] });
        began = 0;
      }
      // Both are back, and in the middle of sending what waited, when it dies again.
      if (killAfter.has(round + 1)) {
        for (const page of [ada, bob]) await eventually("the return", () => page.evaluate(isHidden, "banner"), 60_000);
      }
    }
    const wanted = (name) => Array.from({ length: rounds }, (_, index) => `${name}: ${name} ${index + 1}`);
    const settled = async (page) => eventually("everything is sent", () =>
      page.evaluate(() => document.getElementById("banner").hidden && !document.querySelector('#log [data-state="waiting"]')), 90_000);
    for (const page of [ada, bob]) await settled(page);
    await eventually("everything is heard", async () => {
      const [a, b] = [await ada.evaluate(lines), await bob.evaluate(lines)];
      return [a, b].every((all) => all.filter((line) => /: (ada|bob) \d+$/.test(line)).length >= 2 * rounds);
    }, 30_000);
    const said = (await ada.evaluate(lines)).filter((line) => /: (ada|bob) \d+$/.test(line));
    assert.deepEqual((await bob.evaluate(lines)).filter((line) => /: (ada|bob) \d+$/.test(line)), said);
    for (const name of ["ada", "bob"]) assert.deepEqual(said.filter((line) => line.startsWith(name)), wanted(name));
  });

  await suite.run(label("a newcomer scrolls back to the beginning, in the same order"), 80_000, async () => {
    const all = await ada.evaluate(lines);
    const eve = await enter(browser, server, "eve");
    assert.ok((await eve.evaluate(lines)).length <= 110, "not everything at once");
    await eventually("the beginning", async () => {
      await eve.evaluate(() => (document.getElementById("log").scrollTop = 0));
      return eve.evaluate(() => document.getElementById("log").textContent.includes("This is where it began"));
    }, 30_000);
    assert.deepEqual(await eve.evaluate(lines), all);
    await eve.close();
  });

  await suite.run(label("what was written without a server survives the closing of the page"), 80_000, async () => {
    const { port } = server;
    await server.kill();
    await ada.evaluate(saying, "written at sea");
    await heard(ada, "ada: written at sea");
    const kept = await ada.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("fairlead-chat/queue/ada/")).length);
    assert.equal(kept, 1);
    server = await fairlead.serve({ port, options: ["--engine", database] });
    await ada.evaluate(() => location.reload()).catch(() => {});
    await eventually("bob hears it", async () => (await bob.evaluate(lines)).includes("ada: written at sea"), 60_000);
    await pause(500);
    assert.equal((await bob.evaluate(lines)).filter((line) => line === "ada: written at sea").length, 1);
  });

  await suite.run(label("markup is shown as text, and the policy is kept"), 20_000, async () => {
    const markup = "<img src=x onerror=document.title='owned'><b>hi</b>";
    await bob.evaluate(saying, markup);
    await heard(ada, `bob: ${markup}`);
    assert.equal(await ada.evaluate(() => document.querySelectorAll("#log b, #log img[onerror]").length), 0);
    const problems = [...ada.problems, ...bob.problems].filter((text) => /polic|TypeError|ReferenceError/i.test(text));
    assert.deepEqual(problems, []);
  });

  await suite.run(label("what can be operated has a name, and the log is a log"), 10_000, async () => {
    const nameless = await ada.evaluate(() => Array.from(document.querySelectorAll("#app button, #app input, #app textarea"))
      .filter((one) => !(one.ariaLabel || one.textContent.trim() || one.labels?.length)).map((one) => one.outerHTML));
    assert.deepEqual(nameless, []);
    const log = await ada.evaluate(() => [document.getElementById("log").getAttribute("role"), document.getElementById("log").ariaLive]);
    assert.deepEqual(log, ["log", "polite"]);
  });

  await pictures({ suite, browser, page: ada, label });
  await ada.close();
  await bob.close();
  await server.stop();
}

async function withBackend({ suite, browser, fairlead, directory }) {
  const label = (text) => `${browser.name}: chat with its backend: ${text}`;
  await suite.run(label("a large picture, the rooms, an invitation from a stranger"), 90_000, async () => {
    const secrets = { FAIRLEAD_HTTP_API_KEY: "key of the browser tests", FAIRLEAD_RPC_PROXY_SIGNING_SECRET: "signed by the browser tests" };
    const env = { CHAT_API_KEY: secrets.FAIRLEAD_HTTP_API_KEY, CHAT_SIGNING_SECRET: secrets.FAIRLEAD_RPC_PROXY_SIGNING_SECRET };
    const port = 20_000 + (process.pid % 20_000) + browser.name.length;
    const database = join(directory, "backend.db");
    rmSync(database, { force: true });
    const backend = new Process("/usr/bin/python3", ["examples/chat/backend.py", "--listen", "127.0.0.1:0", "--database", database,
      "--api", `https://localhost:${port}/api`, "--ca", fairlead.ca], { env });
    const [, endpoint] = await backend.says(/listening on (\S+)/);
    const server = await fairlead.serve({ port, env: { ...secrets, FAIRLEAD_RPC_PROXY_ENDPOINT: endpoint, FAIRLEAD_RPC_WITHOUT_NAMESPACE_PROXY_ENABLED: "true" } });
    const ada = await enter(browser, server, "ada");
    const bob = await enter(browser, server, "bob");
    await eventually("the backend is known", async () => (await ada.evaluate(textOf, "abilities")) === "");
    await ada.type("#room-name", "chart");
    await ada.press("Enter");
    await eventually("the system says who made it", () => ada.evaluate(() => document.getElementById("log").textContent.includes("ada made this room.")));
    await ada.evaluate(pasteAPicture);
    await eventually("it is attached", async () => !(await ada.evaluate(isHidden, "attached")), 30_000);
    await say(ada, "Large.");
    await bob.type("#room-name", "chart");
    await bob.press("Enter");
    await heard(bob, "ada: Large.");
    await eventually("bob sees all of it", async () => (await bob.evaluate(pictureWidth)) === 1200, 20_000);
    await pictures({ suite, browser, page: bob, label, only: "picture" });
    const zoe = await enter(browser, server, "zoe", "#with=ada");
    await say(zoe, "We have not met.");
    await eventually("ada sees it", async () => (await ada.evaluate(unreadOf, "dm-#ada,zoe")) === "1", 15_000);
    for (const page of [ada, bob, zoe]) await page.close();
    await server.stop();
    await backend.stop();
  });
}

// With the configuration of the example, where a name is not enough.
async function byToken({ suite, browser, fairlead }) {
  await suite.run(`${browser.name}: chat: accounts by token, which leaves no trace`, 60_000, async () => {
    const config = ["--config", "examples/chat/fairlead.toml", "--engine", "memory"];
    const server = await fairlead.serve({ options: config, env: { FAIRLEAD_HTTP_API_KEY: "k", FAIRLEAD_RPC_PROXY_SIGNING_SECRET: "s" } });
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const body = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: "42", info: { name: "Ada Łovelace" } })}`;
    const token = `${body}.${createHmac("sha256", fairlead.tokenSecret).update(body).digest("base64url")}`;
    const page = await browser.open(`https://${server.host}/chat/#token=${token}`);
    await eventually("she is in", () => page.evaluate(() => document.getElementById("me-name").textContent === "Ada Łovelace" &&
      document.getElementById("banner").hidden), 30_000);
    assert.equal(await page.evaluate(() => location.hash), "");
    await say(page, "Signed.");
    await heard(page, "Ada Łovelace: Signed.");
    await eventually("it is kept", () => page.evaluate(() => !document.querySelector('#log [data-state="waiting"]')));
    const stranger = await browser.open(`https://${server.host}/chat/`);
    await eventually("a token is asked for", () => stranger.evaluate(() => !document.getElementById("sign-in-token").hidden));
    const traces = [...server.process.lines, ...server.process.complaints, ...page.problems].filter((line) => line.includes(token.slice(0, 40)));
    assert.deepEqual(traces, []);
    await stranger.close();
    await page.close();
    await server.stop();
  });
}

async function aPhone({ suite, browser, fairlead }) {
  await suite.run(`${browser.name}: chat: on a phone`, 60_000, async () => {
    const server = await fairlead.serve();
    const page = await enter(browser, server, "ada");
    await page.front();
    await page.resize(390, 844);
    await page.evaluate(() => document.getElementById("back").click());
    await pause(300);
    mkdirSync(folder, { recursive: true });
    await page.screenshot(`${folder}/${browser.name}-chat-phone-list.png`);
    await page.evaluate(openTalk, "room-lobby");
    await say(page, "From a small screen.");
    await heard(page, "ada: From a small screen.");
    await eventually("it fits", () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await page.close();
    await server.stop();
  });
}

async function pictures({ suite, browser, page, label, only }) {
  await suite.run(label("pictures"), 60_000, async () => {
    mkdirSync(folder, { recursive: true });
    const all = [["light", 1280, 860, "light"], ["dark", 1280, 860, "dark"], ["phone", 390, 844, "light"], ["phone-dark", 390, 844, "dark"]];
    for (const [name, width, height, scheme] of only ? [[only, 1280, 860, "light"]] : all) {
      const asked = await page.colorScheme(scheme);
      if (scheme === "dark" && !asked) continue; // only Chromium's protocol can ask for it
      await page.front();
      await page.resize(width, height);
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 500)));
      const path = `${folder}/${browser.name}-chat-${name}.png`;
      await page.screenshot(path);
      assert.ok(statSync(path).size > 10_000, path);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${name}: ${overflow} px wider than the window`);
    }
    await page.colorScheme("light");
    await page.resize(1280, 860);
  });
}
