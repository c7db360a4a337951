// SPDX-License-Identifier: Apache-2.0
// The chat on the screen once somebody has signed in: which conversation is open, what is read, what is announced.
import type { Account, Facts } from "./account.ts";
import { Chat } from "./chat.ts";
import type { Link } from "./chat.ts";
import { Company } from "./company.ts";
import { Composer } from "./composer.ts";
import { PeopleList, TalkLists } from "./lists.ts";
import { LogView } from "./log_view.ts";
import { lobby, tidyRoomName } from "./names.ts";
import type { Upload } from "./queue.ts";
import type { Author, Message } from "./store.ts";
import type { Talk } from "./talk.ts";
import { typingText } from "./typing.ts";
import { byId, hueOf, setText } from "./view.ts";

const typingTickMs = 1_000;
const bannerAfterMs = 700; // a blink of the connection is not worth a banner
const widePx = 1_060; // as in style.css
const phonePx = 720;

export class App {
  readonly #chat: Chat;
  readonly #log: LogView;
  readonly #composer: Composer;
  readonly #lists: TalkLists;
  readonly #people: PeopleList;
  readonly #ended: (reason: string) => void;
  #talk: Talk | null = null;
  #company: Company | null = null;
  #bannerDue = 0;
  #away = false; // for longer than a blink
  #drawDue = 0;
  #dirty = new Set<Talk | null>();

  constructor(account: Account, facts: Facts, ended: (reason: string) => void) {
    this.#ended = ended;
    this.#chat = new Chat(account, facts, {
      changed: (talk) => this.#changed(talk),
      arrived: (talk, message) => this.#arrived(talk, message),
      link: (link, reason) => this.#link(link, reason),
    });
    this.#log = new LogView(this.#chat, {
      edit: (message) => this.#composer.beginEdit(message),
      remove: (message) => this.#talk?.takeBack(message),
      retry: ({ id }) => this.#talk?.retry(id),
      discard: ({ id }) => this.#talk?.discard(id),
      atEnd: () => this.#read(),
    });
    this.#composer = new Composer(this.#chat.backend, {
      say: (text, upload) => this.#say(text, upload),
      edit: ({ id }, text) => {
        this.#talk?.say({ t: "edit", id: crypto.randomUUID(), at: Date.now(), of: id, text });
        this.#company?.sent();
      },
      lastOwn: () => this.#lastOwn(),
      typed: () => this.#company?.typed(),
    });
    this.#lists = new TalkLists(this.#chat, (talk) => this.open(talk));
    this.#people = new PeopleList(account.user, (person) => this.#openDirect(person));
    this.#wire(account);
  }

  start(words: URLSearchParams): void {
    const room = words.get("room");
    this.#chat.start(room ? [room] : []);
    const other = words.get("with");
    const first = (other && this.#chat.openDirect({ user: other, name: other })) || this.#chat.enterRoom(room ?? lobby) || this.#chat.talks()[0];
    if (first) this.open(first, other !== null || room !== null || innerWidth > phonePx);
    this.#link(this.#chat.link, "");
  }

  open(talk: Talk, show = true): void {
    if (talk !== this.#talk) {
      this.#company?.end();
      this.#talk = talk;
      this.#company = new Company(talk, this.#chat.client, this.#chat.me, () => this.#drawCompany());
      this.#log.open(talk);
      this.#composer.open(talk.place.key, (talk.place.kind === "room" ? "#" : "") + talk.place.title, show && innerWidth > phonePx);
      this.#drawHead();
      this.#drawCompany();
    }
    if (show) document.body.dataset["view"] = "talk";
    document.body.dataset["people"] = "";
    if (show && innerWidth <= phonePx) byId("talk-title").focus({ preventScroll: true });
    this.#read();
    this.#lists.draw(this.#talk);
  }

  // ── What is done here ───────────────────────────────────────────────────────────────────────────────────────────
  #say(text: string, upload: Upload | null): void {
    const talk = this.#talk;
    if (!talk) return;
    const isFirst = talk.messages().length === 0;
    this.#log.toEnd();
    talk.say({ t: "say", id: crypto.randomUUID(), at: Date.now(), text }, upload ?? undefined);
    this.#company?.sent();
    if (isFirst) this.#chat.invite(talk).catch(() => {}); // the message itself is what counts
  }

  // The very last one: while it is on its way, the one before it is not meant.
  #lastOwn(): Message | undefined {
    const last = this.#talk?.messages().reverse().find((one) => one.author?.user === this.#chat.me.user && !one.deleted && one.text !== "");
    return last && last.offset > 0 ? last : undefined;
  }

  #openDirect(person: Author): void {
    const talk = this.#chat.openDirect(person);
    if (talk) this.open(talk);
  }

  async #enterRoom(): Promise<void> {
    const input = byId<HTMLInputElement>("room-name");
    const name = tidyRoomName(input.value);
    const fault = byId("room-fault");
    setText(fault, "");
    if (name === "") return;
    const isNew = !this.#chat.knownRooms.has(name);
    const talk = this.#chat.enterRoom(name);
    if (!talk) return setText(fault, "A room’s name has up to 48 letters, digits, ‘-’, ‘_’ or ‘.’; one can be in 20 rooms.");
    input.value = "";
    this.open(talk);
    if (isNew) await this.#chat.announceRoom(name).catch(() => {}); // who knows the name finds it anyway
  }

  #leave(): void {
    const talk = this.#talk;
    if (talk?.place.kind !== "room") return;
    const next = [...this.#chat.rooms.values()].find((one) => one !== talk) ?? this.#chat.enterRoom(lobby === talk.place.title ? "general" : lobby);
    if (next) this.open(next, false);
    document.body.dataset["view"] = "list";
    this.#chat.leaveRoom(talk.place.key);
  }

  // What is in sight is read.
  #read(): void {
    if (this.#talk && this.#log.stuck && document.hasFocus() && !document.hidden && this.#inSight()) this.#talk.read();
  }
  #inSight(): boolean {
    return innerWidth > phonePx || document.body.dataset["view"] === "talk";
  }

  // ── What happens ────────────────────────────────────────────────────────────────────────────────────────────────
  // Many things change at once when a page of history comes; they are drawn once.
  #changed(talk: Talk | null): void {
    this.#dirty.add(talk);
    this.#drawDue ||= window.setTimeout(() => {
      this.#drawDue = 0;
      const dirty = this.#dirty;
      this.#dirty = new Set();
      if (this.#talk && dirty.has(this.#talk)) {
        this.#log.draw();
        this.#read();
      }
      this.#lists.draw(this.#talk);
      this.#drawHead();
      this.#drawBanner();
    }, 0);
  }

  #arrived(talk: Talk, message: Message): void {
    if (talk === this.#talk) {
      this.#log.somethingNew();
    } else {
      setText(byId("spoken"), `${message.author?.name ?? ""} in ${talk.place.title}: ${message.text || "a picture"}`);
    }
    this.#notify(talk, message);
  }

  #notify(talk: Talk, message: Message): void {
    const seen = !document.hidden && document.hasFocus() && talk === this.#talk;
    if (seen || !("Notification" in window) || Notification.permission !== "granted") return;
    const place = talk.place.kind === "room" ? ` in #${talk.place.title}` : "";
    try {
      const shown = new Notification(`${message.author?.name ?? ""}${place}`, { body: message.text || "A picture", tag: talk.place.key });
      shown.onclick = () => {
        window.focus();
        this.open(talk);
        shown.close();
      };
    } catch {
      // Some phones show notifications for service workers alone.
    }
  }

  #link(link: Link, reason: string): void {
    if (link === "ended") return this.#ended(reason);
    if (link === "connecting" && this.#bannerDue !== 0) return;
    window.clearTimeout(this.#bannerDue);
    this.#bannerDue = 0;
    this.#away = false;
    if (link === "connecting") {
      this.#bannerDue = window.setTimeout(() => {
        this.#away = true;
        this.#drawBanner();
      }, bannerAfterMs);
    }
    this.#changed(null);
  }

  // ── Drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────
  #drawBanner(): void {
    byId("banner").hidden = !this.#away;
    if (!this.#away) return;
    const waiting = this.#chat.queue.size;
    setText(byId("banner-title"), this.#chat.wasConnected ? "The connection is lost." : "Connecting…");
    const kept = waiting === 0 ? "What you write is kept and sent later." : `${waiting} ${waiting === 1 ? "message waits" : "messages wait"} to be sent.`;
    setText(byId("banner-detail"), this.#chat.wasConnected ? `Trying again. ${kept}` : kept);
  }

  #drawHead(): void {
    const talk = this.#talk;
    if (!talk) return;
    const { kind, title } = talk.place;
    setText(byId("talk-title"), kind === "room" ? `# ${title}` : title);
    setText(byId("talk-about"), kind === "room" ? "Room" : "Only the two of you");
    byId("leave").hidden = kind !== "room";
    const unread = this.#chat.talks().reduce((sum, one) => sum + (one === talk && document.hasFocus() ? 0 : one.unread().count), 0);
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${kind === "room" ? "#" : ""}${title} – Fairlead chat`;
    const { here, largestPicture } = this.#chat.backend;
    const why = here ? "This server keeps none" : "The chat’s backend is not running";
    const images = largestPicture > 0 ? "" : `${why}: pictures are sent small, inside the message.`;
    setText(byId("abilities"), this.#chat.link === "connected" ? images : "");
  }

  #drawCompany(): void {
    const company = this.#company;
    if (!company || !this.#talk) return;
    this.#people.draw(company.people(), this.#talk.place.kind === "direct");
    setText(byId("typing"), typingText(company.typing.names(performance.now())));
  }

  #drawNotify(): void {
    byId("notify").hidden = !("Notification" in window) || Notification.permission !== "default";
  }

  #wire(account: Account): void {
    setText(byId("me-name"), account.name);
    setText(byId("me-face"), [...account.name][0]?.toUpperCase() ?? "?");
    byId("me-face").classList.add(`hue-${hueOf(account.user)}`);
    byId("banner-retry").addEventListener("click", () => this.#chat.hurry());
    byId("room-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#enterRoom();
    });
    byId("leave").addEventListener("click", () => this.#leave());
    byId("back").addEventListener("click", () => {
      document.body.dataset["view"] = "list";
      this.#lists.draw(this.#talk);
    });
    const people = (shown: boolean): void => {
      document.body.dataset["people"] = shown ? "shown" : "";
      byId("people-toggle").ariaExpanded = String(shown);
      if (shown && innerWidth <= widePx) byId("people-close").focus();
    };
    byId("people-toggle").addEventListener("click", () => people(document.body.dataset["people"] !== "shown"));
    const closePeople = (): void => {
      people(false);
      byId("people-toggle").focus();
    };
    byId("people-close").addEventListener("click", closePeople);
    byId("people-panel").addEventListener("keydown", ({ key }) => key === "Escape" && innerWidth <= widePx && closePeople());
    byId("log").addEventListener("click", () => people(false)); // beside the panel
    this.#drawNotify();
    byId("notify").addEventListener("click", () => void Notification.requestPermission().then(() => this.#drawNotify()));
    const looked = (): void => {
      this.#read();
      this.#changed(null);
    };
    window.addEventListener("focus", looked);
    document.addEventListener("visibilitychange", looked);
    window.setInterval(() => this.#drawCompany(), typingTickMs);
  }
}
