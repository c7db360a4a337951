// SPDX-License-Identifier: Apache-2.0
// The conversations at the left, and the people at the right.
import type { Chat } from "./chat.ts";
import type { Author } from "./store.ts";
import type { Talk } from "./talk.ts";
import { unreadText } from "./unread.ts";
import { byId, face, make, reconcile, setText } from "./view.ts";

interface Entry {
  readonly item: HTMLLIElement;
  readonly link: HTMLButtonElement;
  readonly badge: HTMLElement;
  readonly spoken: HTMLElement;
}

export class TalkLists {
  readonly #entries = new Map<string, Entry>();
  readonly #chat: Chat;
  readonly #open: (talk: Talk) => void;

  constructor(chat: Chat, open: (talk: Talk) => void) {
    this.#chat = chat;
    this.#open = open;
  }

  draw(current: Talk | null): void {
    const directs = this.#chat.listedDirects();
    reconcile(byId("rooms"), [...this.#chat.rooms.values()].map((talk) => this.#entry(talk, current)));
    reconcile(byId("directs"), directs.map((talk) => this.#entry(talk, current)));
    byId("directs-none").hidden = directs.length > 0;
    const known = [...this.#chat.knownRooms].filter((name) => !this.#chat.rooms.has(`room-${name}`)).sort();
    const options = byId("known-rooms");
    if (options.dataset["names"] !== known.join()) {
      options.dataset["names"] = known.join();
      options.replaceChildren(...known.map((name) => Object.assign(make("option"), { value: name })));
    }
    const others = [...this.#chat.rooms.values(), ...directs].filter((talk) => talk !== current);
    const total = others.reduce((sum, talk) => sum + talk.unread().count, 0);
    const badge = byId("back-unread");
    badge.hidden = total === 0;
    setText(badge, unreadText(total, false));
    setText(byId("back-spoken"), total > 0 ? `, ${total} unread` : "");
  }

  #entry(talk: Talk, current: Talk | null): HTMLLIElement {
    const entry = this.#entries.get(talk.place.key) ?? this.#make(talk);
    const { count, more } = talk === current && document.hasFocus() ? { count: 0, more: false } : talk.unread();
    entry.badge.hidden = count === 0;
    setText(entry.badge, unreadText(count, more));
    setText(entry.spoken, count > 0 ? `, ${count}${more ? " or more" : ""} unread` : "");
    entry.link.classList.toggle("unread", count > 0);
    entry.link.ariaCurrent = talk === current ? "true" : null;
    return entry.item;
  }

  #make(talk: Talk): Entry {
    const { kind, title, key, other } = talk.place;
    const sign = kind === "room" ? make("span", "sign", "#") : face(other, title);
    sign.ariaHidden = "true";
    const badge = make("span", "badge");
    badge.ariaHidden = "true";
    const spoken = make("span", "hidden-label");
    const link = make("button", "talk-link", sign, make("span", "name", title), badge, spoken);
    link.type = "button";
    link.addEventListener("click", () => {
      const there = this.#chat.talk(key);
      if (there) this.#open(there);
    });
    const entry = { item: make("li", "", link), link, badge, spoken };
    entry.item.dataset["key"] = key;
    this.#entries.set(key, entry);
    return entry;
  }
}

export class PeopleList {
  readonly #items = new Map<string, HTMLLIElement>();
  readonly #me: string;
  readonly #open: (person: Author) => void;

  constructor(me: string, open: (person: Author) => void) {
    this.#me = me;
    this.#open = open;
  }

  draw(people: readonly Author[], direct: boolean): void {
    reconcile(byId("people"), people.map((person) => this.#item(person, direct)));
    setText(byId("people-title"), people.length === 0 ? "Here now" : `Here now: ${people.length}`);
    setText(byId("people-toggle"), people.length === 0 ? "People" : `People ${people.length}`);
  }

  #item(person: Author, direct: boolean): HTMLLIElement {
    const key = `${person.user}/${person.name}/${direct}`;
    const known = this.#items.get(key);
    if (known) return known;
    const own = person.user === this.#me;
    const parts = [face(person.user, person.name), make("span", "name", person.name), ...(own ? [make("span", "quiet", "you")] : [])];
    const item = make("li", "");
    if (own || direct) {
      item.append(make("span", "person", ...parts));
    } else {
      const open = make("button", "person", ...parts);
      open.type = "button";
      open.title = `Write to ${person.name}`;
      open.addEventListener("click", () => this.#open(person));
      item.append(open);
    }
    this.#items.set(key, item);
    return item;
  }
}
