// SPDX-License-Identifier: Apache-2.0
// The chat, as people use it: rooms, direct messages, who is here and types, receipts, edits, pictures, notifications,
// the keyboard alone, a phone.
import assert from "node:assert/strict";
import { eventually } from "../suite.js";
import { chatBackendCases } from "./chat_backend_cases.js";
import { chatDurableCases } from "./chat_durable_cases.js";
import { attached, attachedKib, enter, enterRoom, heard, isHidden, isWaiting, lines, openTalk, pasteAPicture, peopleHere, pictureWidth, say, saying,
  statusOfLast, textOf, unreadOf } from "./chat_people.js";
import { fill, clickId, stateOfPage, textOfId } from "../in_page.js";
import { takePictures } from "./server_pictures.js";

export async function chatCases(context) {
  await conversation(context);
  await chatDurableCases(context);
  await chatBackendCases(context);
  await aPhone(context);
}

async function conversation(context) {
  const { browser, fairlead } = context;
  const label = (text) => `${browser.name}: chat: ${text}`;
  const server = await fairlead.serve();
  const ada = await enter(browser, server, "ada");
  const bob = await enter(browser, server, "bob");
  const people = { ...context, label, server, ada, bob };
  await talking(people);
  await directly(people);
  await withPictures(people);
  await reliably(people);
  await withoutAMouse(people);
  await ada.close();
  await bob.close();
  await server.stop();
}

async function talking({ suite, label, ada, bob }) {
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
    for (const page of [ada, bob]) await heard(page, "ada: a mistkae");
    await eventually("it is kept", async () => !(await ada.evaluate(isWaiting)));
    await ada.press("ArrowUp");
    await eventually("it is edited", async () => (await ada.evaluate(textOf, "send")) === "Save");
    assert.equal(await ada.evaluate(() => document.getElementById("say").value), "a mistkae");
    await ada.evaluate(() => (document.getElementById("say").value = ""));
    await say(ada, "a mistake");
    for (const page of [ada, bob]) await heard(page, "ada: a mistake");
    assert.match(await bob.evaluate(() => document.querySelector("#log .message:last-of-type").textContent), /edited/);
    await eventually("nobody types", async () => (await bob.evaluate(textOf, "typing")) === "", 2_000); // sooner than it is forgotten
    await eventually("it is kept", async () => !(await ada.evaluate(isWaiting)));
    await eventually("it can be deleted", () => ada.evaluate(() => Boolean(document.querySelector(".message.own:last-of-type .actions"))));
    await ada.evaluate(() => {
      const press = (text) => Array.from(document.querySelectorAll(".message.own:last-of-type .actions button")).find((one) => one.textContent === text).click();
      press("Delete");
      press("Really delete?");
    });
    for (const page of [ada, bob]) await heard(page, "ada: This message was deleted.");
    assert.equal(await bob.evaluate(() => document.querySelectorAll(".message:not(.own) .actions").length), 0);
  });

  await suite.run(label("markup is shown as text, an address becomes a link, and the policy is kept"), 20_000, async () => {
    const markup = "<img src=x onerror=document.title='owned'><b>hi</b> https://example.org/a?b=c.";
    await bob.evaluate(saying, markup);
    await heard(ada, `bob: ${markup}`);
    assert.equal(await ada.evaluate(() => document.querySelectorAll("#log b, #log img[onerror]").length), 0);
    assert.deepEqual(await ada.evaluate(() => Array.from(document.querySelectorAll("#log a"), (link) => [link.href, link.rel])),
      [["https://example.org/a?b=c", "noopener noreferrer"]]);
    const problems = [...ada.problems, ...bob.problems].filter((text) => /polic|TypeError|ReferenceError/i.test(text));
    assert.deepEqual(problems, []);
  });
}

async function directly({ suite, browser, label, ada, bob }) {
  await suite.run(label("direct messages, unread counts, delivery and read receipts"), 40_000, async () => {
    await ada.evaluate(() => Array.from(document.querySelectorAll("#people button.person")).find((one) => one.textContent.includes("bob")).click());
    await eventually("it is open", async () => (await ada.evaluate(textOf, "talk-title")) === "bob");
    await say(ada, "Between us.");
    await eventually("bob sees one unread", async () => (await bob.evaluate(unreadOf, "dm-#ada,bob")) === "1");
    await eventually("it is delivered", async () => (await ada.evaluate(statusOfLast)) === "Delivered");
    await takePictures(browser, bob, "chat-unread");
    await bob.evaluate(openTalk, "dm-#ada,bob");
    await heard(bob, "ada: Between us.");
    await bob.front();
    await eventually("it is read", async () => {
      await bob.evaluate(() => window.dispatchEvent(new Event("focus")));
      return (await ada.evaluate(statusOfLast)) === "Read";
    });
    assert.equal(await bob.evaluate(unreadOf, "dm-#ada,bob"), "");
    for (const page of [ada, bob]) await page.evaluate(openTalk, "room-lobby");
  });

  await suite.run(label("who wants it is notified of what is said elsewhere, and comes there by it"), 30_000, async () => {
    await bob.evaluate(() => {
      globalThis.notified = [];
      globalThis.Notification = class {
        static permission = "default";
        static requestPermission = async () => (Notification.permission = "granted");
        constructor(title, { body }) {
          globalThis.notified.push(Object.assign(this, { title, body }));
        }
        close() {}
      };
      document.getElementById("notify").hidden = false;
      document.getElementById("notify").click();
    });
    await eventually("it is not offered again", () => bob.evaluate(isHidden, "notify"));
    await enterRoom(bob, "bridge");
    await ada.evaluate(saying, "All hands!");
    await eventually("bob is notified", () => bob.evaluate(() => globalThis.notified.length === 1));
    assert.deepEqual(await bob.evaluate(() => globalThis.notified.map(({ title, body }) => [title, body])), [["ada in #lobby", "All hands!"]]);
    assert.match(await bob.evaluate(textOf, "spoken"), /^ada in lobby: All hands!$/); // for a screen reader, too
    await bob.evaluate(() => globalThis.notified[0].onclick());
    await eventually("the room is open", async () => (await bob.evaluate(textOf, "talk-title")) === "# lobby");
  });
}

async function withPictures({ suite, label, browser, ada, bob }) {
  await suite.run(label("a room is made, found by its name, and a picture goes inside the message, made small"), 80_000, async () => {
    await enterRoom(ada, "galley");
    await eventually("bob's list knows it", () => bob.evaluate(() => Boolean(document.querySelector('#known-rooms option[value="galley"]'))));
    await enterRoom(bob, "galley");
    assert.match(await ada.evaluate(textOf, "abilities"), /pictures are sent small/);
    await ada.evaluate(pasteAPicture);
    await attached(ada);
    assert.ok((await attachedKib(ada)) <= 30, "base64 of it has to fit into a message");
    await say(ada, "Look.");
    await heard(bob, "ada: Look.");
    await eventually("bob sees it", async () => (await bob.evaluate(pictureWidth)) > 100, 20_000);
  });

  await suite.run(label("what is no picture is refused with a sentence"), 20_000, async () => {
    await ada.evaluate(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(["no picture"], "broken.png", { type: "image/png" }));
      const picker = document.getElementById("picture");
      picker.files = transfer.files;
      picker.dispatchEvent(new Event("change"));
    });
    await eventually("a refusal", async () => (await ada.evaluate(textOf, "composer-fault")) === "The browser cannot read this picture.");
    assert.equal(await ada.evaluate(isHidden, "attached"), true);
    await ada.evaluate(openTalk, "room-lobby");
    await bob.evaluate(openTalk, "room-lobby");
    assert.equal(await ada.evaluate(textOf, "composer-fault"), "");
    await takePictures(browser, ada, "chat");
  });
}

async function reliably({ suite, browser, label, server, ada, bob }) {
  await suite.run(label("one's message is there at once, and says that it is not sent before the server has it"), 30_000, async () => {
    await eventually("everything is sent", async () => !(await ada.evaluate(isWaiting)));
    server.process.signal("SIGSTOP");
    try {
      await ada.evaluate(saying, "optimism");
      await heard(ada, "ada: optimism", 1_000);
      assert.equal(await ada.evaluate(statusOfLast), "Sending…");
    } finally {
      server.process.signal("SIGCONT");
    }
    await heard(bob, "ada: optimism");
    await eventually("it is sent", async () => /^(Sent|Delivered|Read by bob)$/.test(await ada.evaluate(statusOfLast)));
  });

  await suite.run(label("a message that was sent twice is one"), 40_000, async () => {
    const { publish, close } = await asAda(browser, server);
    const twice = { t: "say", id: "11111111-2222-4333-8444-555555555555", at: Date.now(), text: "sent again" };
    for (const body of [twice, { ...twice, text: "sent again" }, { ...twice, id: "66666666-2222-4333-8444-555555555555", text: "and another" }]) {
      await publish(body);
    }
    await close();
    await heard(bob, "ada: and another");
    assert.deepEqual((await bob.evaluate(lines)).slice(-2), ["ada: sent again", "ada: and another"]);
  });
}

// Another client of the same user, which says exactly what it is told.
async function asAda(browser, server) {
  const page = await browser.open(`https://${server.host}/console/`);
  await page.evaluate(fill, { user: "ada", measure: false });
  await page.evaluate(clickId, "connect");
  await eventually("it is connected", async () => (await page.evaluate(stateOfPage)) === "open", 20_000);
  await page.evaluate(fill, { "subscribe-channel": "chat:room-lobby", channel: "chat:room-lobby" });
  await page.evaluate(clickId, "subscribe");
  await eventually("it is subscribed", async () => (await page.evaluate(textOfId, "journal")).includes("subscribed to chat:room-lobby"));
  const publish = async (body) => {
    const sent = () => page.evaluate(() => document.getElementById("journal").textContent.split("publish chat:room-lobby").length);
    const before = await sent();
    await page.evaluate(fill, { data: JSON.stringify(body) });
    await page.evaluate(clickId, "publish");
    await eventually("it is sent", async () => (await sent()) > before);
  };
  return { publish, close: () => page.close() };
}

async function withoutAMouse({ suite, browser, label, server, ada, bob }) {
  await suite.run(label("the keyboard alone opens a conversation, writes and takes back"), 40_000, async () => {
    const eve = await enter(browser, server, "eve", "#with=bob");
    await eve.evaluate(() => document.querySelector(".skip").focus());
    await eve.press("Enter");
    await eventually("the skip link leads to the message field", () => eve.evaluate(() => document.activeElement.id === "say"));
    await eve.evaluate(() => document.querySelector('[data-key="room-lobby"] .talk-link').focus());
    await eve.press("Enter");
    await eventually("it is open", async () => (await eve.evaluate(textOf, "talk-title")) === "# lobby");
    assert.equal(await eve.evaluate(() => document.activeElement.id), "say");
    await say(eve, "by keys");
    await heard(ada, "eve: by keys");
    await eventually("it has its buttons", () => eve.evaluate(() => Boolean(document.querySelector(".message.own:last-of-type .actions button"))));
    await eve.evaluate(() => document.querySelector(".message.own:last-of-type .remove").focus());
    assert.equal(await eve.evaluate(() => getComputedStyle(document.activeElement.parentElement).opacity), "1", "it is seen");
    await eve.press("Enter");
    // Others read it meanwhile, for which it is drawn anew.
    await eventually("it was received", async () => /^(Delivered|Read)/.test(await eve.evaluate(statusOfLast)));
    assert.equal(await eve.evaluate(() => document.activeElement.textContent), "Really delete?");
    await eve.press("Enter");
    await heard(ada, "eve: This message was deleted.");
    await eve.close();
  });

  await suite.run(label("what can be operated has a name, and the log is one that is read out"), 10_000, async () => {
    for (const page of [ada, bob]) {
      const nameless = await page.evaluate(() => Array.from(document.querySelectorAll("#app button, #app input, #app textarea"))
        .filter((one) => !(one.ariaLabel || one.textContent.trim() || one.labels?.length)).map((one) => one.outerHTML));
      assert.deepEqual(nameless, []);
    }
    // Not while it is filled: half a second later.
    await eventually("the log is live", () => ada.evaluate(() => {
      const log = document.getElementById("log");
      return log.getAttribute("role") === "log" && log.ariaLive === "polite";
    }), 3_000);
  });
}

async function aPhone({ suite, browser, fairlead }) {
  await suite.run(`${browser.name}: chat: on a phone`, 60_000, async () => {
    const server = await fairlead.serve();
    const page = await enter(browser, server, "ada");
    await page.front();
    await page.resize(375, 812);
    const narrowest = browser.name === "webkit" ? 450 : 375; // MiniBrowser's toolbar is as wide as that
    assert.ok((await page.evaluate(() => innerWidth)) <= narrowest);
    await page.evaluate(clickId, "back");
    await eventually("the list", () => page.evaluate(() => document.querySelector(".sidebar").offsetWidth === innerWidth));
    // The main part is the conversation, which is not in sight.
    await takePictures(browser, page, "chat-list", { only: ["phone", "phone-dark"], without: ["landmark-one-main", "page-has-heading-one"] });
    await page.resize(375, 812);
    await page.evaluate(openTalk, "room-lobby");
    assert.equal(await page.evaluate(() => document.querySelector(".sidebar").offsetWidth), 0);
    await say(page, "From a small screen.");
    await heard(page, "ada: From a small screen.");
    await page.evaluate(clickId, "people-toggle");
    await eventually("who is here", () => page.evaluate(() => document.getElementById("people-panel").offsetWidth > 0 && document.activeElement.id === "people-close"));
    await page.press("Escape");
    await eventually("it is gone", () => page.evaluate(() => document.getElementById("people-panel").offsetWidth === 0 && document.activeElement.id === "people-toggle"));
    await eventually("it fits", () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await page.close();
    await server.stop();
  });
}
