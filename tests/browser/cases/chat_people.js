// SPDX-License-Identifier: Apache-2.0
// People of the chat, and what they see: signing in, saying something, looking at the log.
import { eventually } from "../suite.js";

// ── Asked of a page ─────────────────────────────────────────────────────────────────────────────────────────────────
export const lines = () => Array.from(document.querySelectorAll("#log .message"), (message) =>
  `${message.querySelector(".from").textContent}: ${message.querySelector(".text")?.textContent ?? ""}`);
export const unreadOf = (key) => document.querySelector(`[data-key="${key}"] .badge:not([hidden])`)?.textContent ?? "";
export const statusOfLast = () =>
  Array.from(document.querySelectorAll("#log .message.own"), (one) => one.querySelector(".status")?.textContent ?? "").at(-1) ?? "";
export const peopleHere = () => Array.from(document.querySelectorAll("#people .name"), (name) => name.textContent).sort();
export const textOf = (id) => document.getElementById(id).textContent;
export const isHidden = (id) => document.getElementById(id).hidden;
export const openTalk = (key) => document.querySelector(`[data-key="${key}"] .talk-link`).click();
export const pictureWidth = () => document.querySelector("#log .picture img")?.naturalWidth ?? 0;
export const isWaiting = () => Boolean(document.querySelector('#log [data-state="waiting"]'));

// Keystroke by keystroke is slow: the text is put in, the form is sent.
export const saying = (text) => {
  const field = document.getElementById("say");
  field.value = text;
  document.getElementById("composer").requestSubmit();
};

// A drawing with so many colours that it does not shrink to nothing.
export const pasteAPicture = async () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [1200, 800];
  const context = canvas.getContext("2d");
  for (let index = 0; index < 4_000; index += 1) {
    context.fillStyle = `hsl(${(index * 47) % 360} 70% ${30 + (index % 50)}%)`;
    context.fillRect((index * 131) % 1200, (index * 97) % 800, 60, 40);
  }
  const drawing = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const transfer = new DataTransfer();
  transfer.items.add(new File([drawing], "drawing.png", { type: "image/png" }));
  const event = new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true });
  if (event.clipboardData?.files.length) return document.getElementById("say").dispatchEvent(event);
  // Where a script may not make a paste with files, it is chosen instead.
  const picker = document.getElementById("picture");
  picker.files = transfer.files;
  return picker.dispatchEvent(new Event("change"));
};

// ── Done by a person ────────────────────────────────────────────────────────────────────────────────────────────────
export async function enter(browser, server, name, words = "") {
  const page = await browser.open(`https://${server.host}/chat/${words}`);
  await eventually("the form", () => page.evaluate(() => !document.getElementById("sign-in-name").hidden));
  await page.evaluate(() => (document.getElementById("name").value = ""));
  await page.type("#name", name);
  await page.press("Enter");
  await eventually(`${name} is in`, () => page.evaluate(() => document.getElementById("banner").hidden &&
    !document.getElementById("app").hidden && !/Loading…$/.test(document.getElementById("log").textContent)), 30_000);
  return page;
}

export async function say(page, text) {
  await page.type("#say", text);
  await page.press("Enter");
}

export async function enterRoom(page, name) {
  await page.type("#room-name", name);
  await page.evaluate(() => document.getElementById("room-form").requestSubmit()); // WebKit: only in front is Enter enough
  await eventually(`it is in ${name}`, async () => (await page.evaluate(textOf, "talk-title")) === `# ${name}`);
}

export const heard = (page, line, limitMs) =>
  eventually(`"${line}" is heard`, async () => (await page.evaluate(lines)).includes(line), limitMs);
export const attached = (page) => eventually("it is attached", async () => !(await page.evaluate(isHidden, "attached")), 30_000);
// The size that the page tells of a picture that is attached.
export const attachedKib = async (page) => Number(/([\d.]+) KiB/.exec(await page.evaluate(textOf, "attached-size"))[1]);
