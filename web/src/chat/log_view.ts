// SPDX-License-Identifier: Apache-2.0
// The messages of the open conversation: kept at the end while one reads there, kept in place while older ones come.
import type { Chat } from "./chat.ts";
import { toBlob } from "./images.ts";
import type { Picture } from "./messages.ts";
import type { Message } from "./store.ts";
import type { Talk } from "./talk.ts";
import { button, byId, clockText, dayText, face, isSameDay, linked, make, reconcile, wholeText } from "./view.ts";

export interface LogActions {
  readonly edit: (message: Message) => void;
  readonly remove: (message: Message) => void;
  readonly retry: (message: Message) => void;
  readonly discard: (message: Message) => void;
  readonly atEnd: () => void;
}

interface Line {
  readonly element: HTMLElement;
  readonly drawn: string; // what it was drawn from: the same needs no new drawing
}

const nearPx = 60;
const groupWithinMs = 5 * 60_000;
const widestPx = 340;
const highestPx = 300;

export class LogView {
  readonly #log = byId("log"); // what scrolls and is read out
  readonly #list = byId<HTMLOListElement>("log-lines");
  readonly #jump = byId<HTMLButtonElement>("jump");
  readonly #chat: Chat;
  readonly #actions: LogActions;
  readonly #addresses = new Map<string, Promise<string>>(); // of pictures
  #talk: Talk | null = null;
  #lines = new Map<string, Line>();
  #stuck = true; // at the end, and to stay there
  #firstUnread = 0; // where the line "New" stands

  constructor(chat: Chat, actions: LogActions) {
    this.#chat = chat;
    this.#actions = actions;
    this.#log.addEventListener("scroll", this.#scrolled);
    this.#jump.addEventListener("click", this.toEnd);
    new ResizeObserver(() => this.#stuck && this.#scrollToEnd()).observe(this.#log);
  }
  get stuck(): boolean {
    return this.#stuck;
  }

  open(talk: Talk): void {
    this.#talk = talk;
    this.#lines.clear();
    this.#list.replaceChildren();
    this.#log.ariaLive = "off";
    this.#stuck = true;
    const mark = this.#chat.marks.of(talk.place.key);
    this.#firstUnread = mark && mark.epoch === talk.store.epoch && talk.unread().count > 0 ? mark.offset : 0;
    this.draw();
  }

  draw(): void {
    const talk = this.#talk;
    if (!talk) return;
    const before = { height: this.#log.scrollHeight, top: this.#log.scrollTop };
    const first = this.#log.querySelector(".message")?.id;
    const messages = talk.messages();
    const wanted: HTMLElement[] = [];
    const fresh = new Map<string, Line>();
    const keep = (key: string, drawn: string, draw: () => HTMLElement): void => {
      const known = this.#lines.get(key);
      const line = known?.drawn === drawn ? known : { element: draw(), drawn };
      if (known && known !== line) inherit(known.element, line.element);
      fresh.set(key, line);
      wanted.push(line.element);
    };
    const edge = edgeText(talk, messages.length);
    keep("edge", edge, () => make("li", "edge quiet", edge));
    let last: Message | null = null;
    let told = this.#firstUnread === 0;
    for (const message of messages) {
      const apart = last === null || !isSameDay(last.at, message.at);
      if (apart && message.at > 0) keep(`day ${message.key}`, dayText(message.at), () => make("li", "day", make("span", "", dayText(message.at))));
      const isNew = !told && message.offset > this.#firstUnread && message.author?.user !== this.#chat.me.user;
      if (isNew) {
        told = true;
        keep("new", "", () => make("li", "new", make("span", "", "New")));
      }
      const joined = !apart && !isNew && continues(last, message);
      const status = this.#status(talk, message);
      const drawn = { ...message, image: message.image?.id ?? message.image?.data?.length }; // not the whole picture
      keep(message.key, JSON.stringify([drawn, joined, status]), () => this.#message(talk, message, joined, status));
      last = message;
    }
    this.#lines = fresh;
    this.#log.ariaBusy = "true";
    const older = first !== undefined && this.#log.querySelector(".message")?.id === first && wanted.findIndex((one) => one.id === first) > 2;
    if (older) this.#log.ariaLive = "off"; // older ones are not news
    reconcile(this.#list, wanted);
    this.#log.ariaBusy = "false";
    if (this.#stuck) this.#scrollToEnd();
    else if (older) this.#log.scrollTop = before.top + this.#log.scrollHeight - before.height;
    if (talk.live) setTimeout(() => (this.#log.ariaLive = "polite"), 500);
    this.#fill();
  }

  readonly toEnd = (): void => {
    this.#stuck = true;
    this.#scrollToEnd();
    this.#jump.hidden = true;
    this.#actions.atEnd();
  };
  somethingNew(): void {
    this.#jump.hidden = this.#stuck;
  }

  #scrollToEnd(): void {
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  readonly #scrolled = (): void => {
    const { scrollTop, scrollHeight, clientHeight } = this.#log;
    const atEnd = scrollHeight - scrollTop - clientHeight < nearPx;
    if (atEnd !== this.#stuck) {
      this.#stuck = atEnd;
      if (atEnd) {
        this.#jump.hidden = true;
        this.#actions.atEnd();
      }
    }
    this.#fill();
  };

  // Older ones, while the upper end is near.
  #fill(): void {
    const talk = this.#talk;
    if (!talk || this.#log.scrollTop > this.#log.clientHeight) return;
    void talk.loadOlder().then((loaded) => {
      if (loaded && talk === this.#talk) this.draw();
    });
  }

  // ── One message ─────────────────────────────────────────────────────────────────────────────────────────────────
  #status(talk: Talk, message: Message): string {
    if (message.author?.user !== this.#chat.me.user) return "";
    if (message.progress === "waiting") return talk.live ? "Sending…" : "Waiting for the connection";
    if (message.progress === "failed") return message.why ? `Not sent: ${message.why}` : "Not sent";
    if (message.deleted || message.offset === 0) return "";
    const read = talk.receipts.readBy(message.offset, talk.store.epoch, this.#chat.me.user).map((user) => this.#chat.nameOf(user));
    if (read.length > 0) return talk.place.kind === "direct" ? "Read" : `Read by ${listed(read)}`;
    const delivered = talk.receipts.deliveredTo(message.offset, talk.store.epoch, this.#chat.me.user);
    return delivered.length > 0 ? "Delivered" : "Sent";
  }

  #message(talk: Talk, message: Message, joined: boolean, status: string): HTMLElement {
    const { author } = message;
    if (author === null) return make("li", "system", make("span", "", message.text));
    const own = author.user === this.#chat.me.user;
    const element = make("li", `message${own ? " own" : ""}${joined ? " joined" : ""}${message.deleted ? " deleted" : ""}`);
    element.id = `m-${message.key}`;
    element.tabIndex = -1;
    element.dataset["state"] = message.progress;
    const time = make("time", "", clockText(message.at));
    time.dateTime = new Date(message.at).toISOString();
    time.title = wholeText(message.at);
    element.append(face(author.user, author.name), make("p", "heading", make("span", "from", author.name), " ", time));
    const bubble = make("div", "bubble");
    if (message.image) bubble.append(this.#picture(message.image, author.name));
    if (message.deleted) bubble.append(make("p", "text", "This message was deleted."));
    else if (message.text !== "") bubble.append(make("p", "text", ...linked(message.text)));
    if (message.edited) bubble.append(make("span", "mark quiet", "edited"));
    element.append(bubble);
    if (status !== "") element.append(statusLine(status));
    if (own) element.append(...this.#buttons(message));
    void talk;
    return element;
  }

  #buttons(message: Message): HTMLElement[] {
    const actions = make("div", "actions");
    if (message.progress === "failed") {
      actions.append(button("Try again", "", () => this.#actions.retry(message)), button("Discard", "", () => this.#actions.discard(message)));
    } else if (message.offset > 0 && !message.deleted && message.progress === "kept") {
      const remove = button("Delete", "", () => {
        if (remove.dataset["sure"]) return this.#actions.remove(message);
        askWhetherSure(remove);
      });
      remove.classList.add("remove");
      remove.addEventListener("blur", () => {
        delete remove.dataset["sure"];
        remove.textContent = "Delete";
      });
      if (message.text !== "") actions.append(button("Edit", "", () => this.#actions.edit(message)));
      actions.append(remove);
    }
    return actions.childElementCount > 0 ? [actions] : [];
  }

  // It has its place before it is here, so that nothing jumps.
  #picture(picture: Picture, from: string): HTMLElement {
    const scale = Math.min(1, widestPx / picture.width, highestPx / picture.height);
    const image = make("img");
    image.width = Math.max(24, Math.round(picture.width * scale));
    image.height = Math.max(24, Math.round(picture.height * scale));
    image.alt = `Picture from ${from}`;
    const frame = button("", "picture", () => this.#view(image));
    frame.ariaLabel = `Picture from ${from}: show it larger`;
    frame.append(image);
    this.#address(picture).then(
      (address) => (image.src = address),
      () => frame.replaceChildren(make("span", "missing quiet", "This picture cannot be had.")),
    );
    return frame;
  }

  #address(picture: Picture): Promise<string> {
    const key = picture.id ?? picture.data ?? "";
    const known = this.#addresses.get(key);
    if (known) return known;
    const asked = (async () => {
      const { data, type, id } = picture;
      return URL.createObjectURL(data ? toBlob(data, type) : await this.#chat.backend.pictures.get(id ?? ""));
    })();
    this.#addresses.set(key, asked);
    asked.catch(() => this.#addresses.delete(key)); // the next drawing asks again
    return asked;
  }

  #view(image: HTMLImageElement): void {
    const shown = byId<HTMLImageElement>("viewer-picture");
    shown.src = image.src;
    shown.alt = image.alt;
    byId<HTMLDialogElement>("viewer").showModal();
  }
}

function askWhetherSure(remove: HTMLElement): void {
  remove.dataset["sure"] = "yes";
  remove.textContent = "Really delete?";
}

// A message is drawn anew when somebody reads it: the focus stays where it was, and so does a question.
function inherit(old: HTMLElement, fresh: HTMLElement): void {
  const remove = fresh.querySelector<HTMLElement>(".remove");
  if (remove && old.querySelector(".remove[data-sure]")) askWhetherSure(remove);
  if (!old.contains(document.activeElement)) return;
  const at = [...old.querySelectorAll("button, a")].indexOf(document.activeElement as HTMLElement);
  queueMicrotask(() => (fresh.querySelectorAll<HTMLElement>("button, a")[at] ?? fresh).focus());
}

function statusLine(status: string): HTMLElement {
  const kind = status.split(" ")[0]?.replace(/[…:]/, "").toLowerCase() ?? "";
  return make("p", `status quiet status-${kind}`, status);
}

function continues(last: Message | null, message: Message): boolean {
  return last?.author !== null && message.author !== null && last?.author.user === message.author.user &&
    Math.abs(message.at - last.at) < groupWithinMs;
}

function listed(names: readonly string[]): string {
  const most = 3;
  if (names.length <= most) return names.join(", ");
  return `${names.slice(0, most - 1).join(", ")} and ${names.length - most + 1} more`;
}

function edgeText(talk: Talk, count: number): string {
  if (talk.refused !== "") return `The server does not let you in here: ${talk.refused}.`;
  if (!talk.live && count === 0) return "Loading…";
  if (talk.atStart || talk.store.newest === 0) return count === 0 ? "Nothing was said here yet." : "This is where it began.";
  return "Loading what came before…";
}
