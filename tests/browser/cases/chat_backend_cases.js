// SPDX-License-Identifier: Apache-2.0
// The chat as examples/chat runs it: with its backend, and with accounts by token.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { eventually } from "../suite.js";
import { ChatServer } from "./chat_server.js";
import { attached, attachedKib, enter, enterRoom, heard, isWaiting, lines, pasteAPicture, pictureWidth, say, textOf, unreadOf } from "./chat_people.js";
import { takePictures } from "./server_pictures.js";

const largestImageKib = 1_024; // attachments.max_size

export async function chatBackendCases(context) {
  await withBackend(context);
  await byToken(context);
}

async function withBackend({ suite, browser, fairlead, directory }) {
  const label = (text) => `${browser.name}: chat with its backend: ${text}`;
  const server = await ChatServer.startWithBackend(fairlead, directory);
  const ada = await enter(browser, server, "ada");
  const bob = await enter(browser, server, "bob");

  await suite.run(label("it tells who made a room, and keeps a picture that is too large for a message"), 60_000, async () => {
    await eventually("the backend is known", async () => (await ada.evaluate(textOf, "abilities")) === "");
    await enterRoom(ada, "chart");
    await eventually("the system says who made it", () => ada.evaluate(() => document.getElementById("log").textContent.includes("ada made this room.")));
    await ada.evaluate(pasteAPicture);
    await attached(ada);
    const kib = await attachedKib(ada);
    assert.ok(kib > 40 && kib <= largestImageKib, `${kib} KiB`);
    await say(ada, "Large.");
    await enterRoom(bob, "chart");
    await heard(bob, "ada: Large.");
    await eventually("bob sees all of it", async () => (await bob.evaluate(pictureWidth)) === 1200, 20_000);
    await takePictures(browser, bob, "chat-picture");
  });

  await suite.run(label("a picture goes with the last message that has it"), 60_000, async () => {
    await ada.evaluate(pasteAPicture); // the same as before, so the backend has it once
    await attached(ada);
    await say(ada, "Once more.");
    await heard(bob, "ada: Once more.");
    await eventually("it is kept", async () => !(await ada.evaluate(isWaiting)));
    const [picture] = await bob.evaluate(fetchedPictures);
    assert.ok(picture);
    await takeBack(ada, "Once more.");
    await heard(bob, "ada: This message was deleted.");
    await eventually("the backend was told", () => ada.evaluate(isReleased));
    assert.equal((await bob.evaluate(readAttachment, "bob", picture))[0], 200, "the other message has it");
    await takeBack(ada, "Large.");
    await eventually("it is gone", async () => (await bob.evaluate(readAttachment, "bob", picture))[0] === 404);
  });

  await suite.run(label("the server takes a picture from who may connect alone, and only what is one"), 30_000, async () => {
    const [status, kept] = await ada.evaluate(askAttachments, "ada", "picture");
    assert.equal(status, 201);
    const again = await ada.evaluate(askAttachments, "ada", "picture");
    assert.deepEqual(again, [201, kept], "the same once more is the same");
    assert.deepEqual(await ada.evaluate(askAttachments, "ada", "svg"), [415, "that is no picture of these types: image/jpeg, image/png, image/webp, image/gif"]);
    assert.equal((await ada.evaluate(askAttachments, "", "picture"))[0], 401);
    assert.deepEqual(await bob.evaluate(readAttachment, "bob", kept), [200, "image/png", "nosniff", "private, max-age=31536000, immutable"]);
    assert.equal((await bob.evaluate(readAttachment, "", kept))[0], 401);
    assert.equal((await bob.evaluate(readAttachment, "bob", "nothing"))[0], 404);
  });

  await suite.run(label("a picture that the server does not take says so, and what was written after it goes on"), 60_000, async () => {
    await ada.evaluate(pasteAPicture);
    await attached(ada);
    await server.kill();
    server.how.env.FAIRLEAD_ATTACHMENTS_MAX_SIZE = "20KiB"; // less than the page was told
    await say(ada, "Too large.");
    await say(ada, "But this goes.");
    await server.restart();
    await eventually("the author is told", () => ada.evaluate(() => Array.from(document.querySelectorAll("#log .status"), (one) => one.textContent)
      .includes("Not sent: it is too large for this server")), 30_000);
    await heard(bob, "ada: But this goes.", 30_000);
    assert.ok(!(await bob.evaluate(lines)).includes("ada: Too large."));
  });

  await suite.run(label("a stranger's first words are announced"), 40_000, async () => {
    const zoe = await enter(browser, server, "zoe", "#with=ada");
    await say(zoe, "We have not met.");
    await eventually("ada sees it", async () => (await ada.evaluate(unreadOf, "dm-#ada,zoe")) === "1", 15_000);
    await zoe.close();
  });

  for (const page of [ada, bob]) await page.close();
  await server.stop();
}

async function takeBack(page, text) {
  await eventually("it can be deleted", () => page.evaluate(pressIn, text, "Delete"));
  assert.ok(await page.evaluate(pressIn, text, "Really delete?"));
}

// ── Asked in a page ─────────────────────────────────────────────────────────────────────────────────────────────────
const pressIn = (text, label) => {
  const message = Array.from(document.querySelectorAll(".message.own")).find((one) => one.querySelector(".text")?.textContent === text);
  const found = Array.from(message?.querySelectorAll(".actions button") ?? []).find((one) => one.textContent === label);
  found?.click();
  return found !== undefined;
};
const fetchedPictures = () => performance.getEntriesByType("resource").map(({ name }) => /\/attachments\/([^/]+)$/.exec(name)?.[1]).filter(Boolean);
const isReleased = () => !Object.keys(localStorage).some((key) => key.startsWith("fairlead-chat/release/"));
const askAttachments = async (user, what) => {
  const token = user === "" ? "none" : (await (await fetch(`/development/token?user=${user}`, { headers: { "X-Fairlead-Development": "1" } })).json()).token;
  const canvas = document.createElement("canvas");
  const picture = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const body = what === "picture" ? picture : new Blob(["<svg xmlns=\"http://www.w3.org/2000/svg\"/>"], { type: "image/png" });
  const answer = await fetch("/attachments", { method: "POST", body, headers: { Authorization: `Bearer ${token}` } });
  const said = await answer.json();
  return [answer.status, said.id ?? said.error.message];
};
const readAttachment = async (user, id) => {
  const token = user === "" ? "none" : (await (await fetch(`/development/token?user=${user}`, { headers: { "X-Fairlead-Development": "1" } })).json()).token;
  const answer = await fetch(`/attachments/${id}`, { cache: "no-store", headers: { Authorization: `Bearer ${token}` } });
  return [answer.status, ...["Content-Type", "X-Content-Type-Options", "Cache-Control"].map((name) => answer.headers.get(name))];
};

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
    await eventually("it is kept", async () => !(await page.evaluate(isWaiting)));
    const stranger = await browser.open(`https://${server.host}/chat/`);
    await eventually("a token is asked for", () => stranger.evaluate(() => !document.getElementById("sign-in-token").hidden));
    const traces = [...server.process.lines, ...server.process.complaints, ...page.problems].filter((line) => line.includes(token.slice(0, 40)));
    assert.deepEqual(traces, []);
    await stranger.close();
    await page.close();
    await server.stop();
  });
}
