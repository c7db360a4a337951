// SPDX-License-Identifier: Apache-2.0
// The whole chat without its looks: the connection, the conversations this user is in, and the people he knows.
// A direct message is heard because the page listens to the channel with everybody it has met, as far as the server's
// limit of subscriptions allows; a backend, where there is one, tells of strangers through the user's inbox.
import { Centrifuge, UnauthorizedError } from "centrifuge";
import type { PublicationContext, TransportEndpoint } from "centrifuge";
import type { Account, Facts } from "./account.ts";
import { Backend } from "./backend.ts";
import { directPlace, directoryChannel, inboxChannel, isRoomName, lobby, roomPlace } from "./names.ts";
import type { Place } from "./names.ts";
import { Pictures } from "./pictures.ts";
import { OfflineQueue } from "./queue.ts";
import { Releases } from "./releases.ts";
import type { Message, Author } from "./store.ts";
import { Talk } from "./talk.ts";
import { ReadMarks } from "./unread.ts";

const mostRooms = 20; // with their receipts, and the people, within 128 subscriptions
const mostPeople = 30;
const mostKnownRooms = 500;
const invalidToken = 3500; // the protocol's code
const renewEveryMs = 5_000;

export type Link = "connecting" | "connected" | "ended";
export interface ChatEvents {
  readonly changed: (talk: Talk | null) => void; // null: something about the whole
  readonly arrived: (talk: Talk, message: Message) => void;
  readonly link: (link: Link, reason: string) => void;
}

export class Chat {
  readonly me: Author;
  readonly client: Centrifuge;
  readonly backend: Backend;
  readonly queue: OfflineQueue;
  readonly releases: Releases;
  readonly marks: ReadMarks;
  readonly rooms = new Map<string, Talk>(); // by key, in the order in which they were entered
  readonly directs = new Map<string, Talk>();
  readonly knownRooms = new Set<string>();
  readonly people = new Map<string, Author>(); // by user; the last one met is the last one
  link: Link = "connecting";
  wasConnected = false;
  readonly #events: ChatEvents;
  #renewedAt = 0;
  readonly #wanted = new Set<string>(); // direct conversations that are listed though nothing was said in them

  constructor(account: Account, facts: Facts, events: ChatEvents) {
    this.me = { user: account.user, name: account.name };
    this.#events = events;
    this.queue = new OfflineQueue(localStorage, account.user);
    this.marks = new ReadMarks(localStorage, account.user);
    const getToken = async (): Promise<string> => account.token();
    this.client = new Centrifuge(transports(facts), { getToken, name: "fairlead-chat", minReconnectDelay: 250, maxReconnectDelay: 8_000 });
    this.backend = new Backend(this.client, new Pictures(facts, account));
    this.releases = new Releases(localStorage, account.user, (picture, message) => this.backend.releasePicture(picture, message));
    this.#follow(account);
  }

  start(rooms: readonly string[] = []): void {
    for (const name of [...this.#remembered("rooms", [lobby]), ...rooms]) this.enterRoom(name);
    for (const item of this.#remembered("people", [])) {
      const [user = "", name = user] = item.split("\n");
      this.meet({ user, name });
    }
    for (const key of this.queue.places()) if (key.startsWith("room-")) this.enterRoom(key.slice("room-".length));
    this.client.connect();
  }
  end(): void {
    for (const talk of this.talks()) talk.end();
    this.client.removeAllListeners();
    this.client.disconnect();
  }
  hurry(): void {
    this.client.disconnect();
    this.client.connect();
  }

  talks(): Talk[] {
    return [...this.rooms.values(), ...this.directs.values()];
  }
  talk(key: string): Talk | undefined {
    return this.rooms.get(key) ?? this.directs.get(key);
  }
  // The direct conversations that are worth a line.
  listedDirects(): Talk[] {
    return [...this.directs.values()].filter((talk) => this.#wanted.has(talk.place.key) || talk.messages().length > 0);
  }
  nameOf(user: string): string {
    return user === this.me.user ? this.me.name : (this.people.get(user)?.name ?? user);
  }

  // ── Rooms ───────────────────────────────────────────────────────────────────────────────────────────────────────
  enterRoom(name: string): Talk | null {
    const place = roomPlace(name);
    if (!place) return null;
    const there = this.rooms.get(place.key);
    if (there) return there;
    if (this.rooms.size >= mostRooms) return null;
    const talk = this.#open(place);
    this.rooms.set(place.key, talk);
    this.knownRooms.add(name);
    this.#rememberRooms();
    this.#events.changed(null);
    return talk;
  }
  leaveRoom(key: string): void {
    this.rooms.get(key)?.end();
    this.rooms.delete(key);
    this.#rememberRooms();
    this.#events.changed(null);
  }
  // Tells the others of a room that they may not know: by the backend, or by an announcement of our own.
  async announceRoom(name: string): Promise<void> {
    if (this.backend.here) {
      await this.backend.createRoom(name);
      return;
    }
    const directory = this.client.getSubscription(directoryChannel);
    if (name !== lobby) await directory?.publish({ t: "room", name });
  }

  // ── People ──────────────────────────────────────────────────────────────────────────────────────────────────────
  meet(person: Author): void {
    if (person.user === "" || person.user === this.me.user) return;
    const known = this.people.get(person.user);
    if (known?.name === person.name && this.directs.size > 0 && this.directs.has(directPlace(this.me.user, person.user)?.key ?? "")) return;
    this.people.delete(person.user);
    this.people.set(person.user, person);
    this.#listenTo(person);
    const kept = [...this.people.values()].slice(-mostPeople).map(({ user, name }) => `${user}\n${name}`);
    this.#remember("people", kept);
    this.#events.changed(null);
  }
  openDirect(person: Author): Talk | null {
    this.meet(person);
    const talk = this.#listenTo(person);
    if (talk) this.#wanted.add(talk.place.key);
    this.#events.changed(null);
    return talk;
  }
  // The first words to somebody who may not listen yet.
  async invite(talk: Talk): Promise<void> {
    if (this.backend.here && talk.place.kind === "direct") await this.backend.invite(talk.place.other);
  }

  #listenTo(person: Author): Talk | null {
    const place = directPlace(this.me.user, person.user, person.name);
    if (!place) return null;
    const there = this.directs.get(place.key);
    if (there) return there;
    if (this.directs.size >= mostPeople && !this.#makeRoom()) return null;
    const talk = this.#open(place);
    this.directs.set(place.key, talk);
    return talk;
  }
  // Stops listening to the one met longest ago with whom nothing was ever said.
  #makeRoom(): boolean {
    const silent = [...this.directs.values()].find((talk) => !this.#wanted.has(talk.place.key) && talk.live && talk.messages().length === 0);
    if (!silent) return false;
    silent.end();
    this.directs.delete(silent.place.key);
    return true;
  }

  #open(place: Place): Talk {
    return new Talk(place, {
      client: this.client, backend: this.backend, queue: this.queue, releases: this.releases, marks: this.marks, me: this.me,
      changed: (talk) => this.#events.changed(talk),
      arrived: (talk, message) => this.#events.arrived(talk, message),
      met: (person) => this.meet(person),
    });
  }

  // ── The connection ──────────────────────────────────────────────────────────────────────────────────────────────
  #follow(account: Account): void {
    const to = (link: Link, reason: string): void => {
      this.link = link;
      this.#events.link(link, reason);
    };
    this.client.on("connecting", ({ reason }) => to("connecting", reason));
    this.client.on("disconnected", ({ code, reason }) => {
      if (code === 0) return; // we said so
      if (code === invalidToken && account.renewable && this.#renewedAt + renewEveryMs < Date.now()) {
        // A server of development that was started again has another secret.
        this.#renewedAt = Date.now();
        this.client.setToken("");
        this.client.connect();
      } else {
        to("ended", reason);
      }
    });
    this.client.on("connected", () => {
      this.wasConnected = true;
      to("connected", "");
      void this.#askBackend();
    });
    this.#stream(directoryChannel, ({ data }) => {
      const { t, name } = (data ?? {}) as Record<string, unknown>;
      if (t !== "room" || typeof name !== "string" || !isRoomName(name) || this.knownRooms.size >= mostKnownRooms) return;
      this.knownRooms.add(name);
      this.#events.changed(null);
    });
    this.#stream(inboxChannel(this.me.user), ({ data, info }) => {
      const { t, user, name } = (data ?? {}) as Record<string, unknown>;
      // Only the backend can: a publication of a client would bear its publisher.
      if (!info && t === "invite" && typeof user === "string") this.meet({ user, name: typeof name === "string" ? name : user });
    });
  }

  // A small stream of which the page wants the newest entries and whatever comes.
  #stream(channel: string, heard: (publication: PublicationContext) => void): void {
    const subscription = this.client.newSubscription(channel);
    subscription.on("publication", heard);
    subscription.on("subscribed", () => {
      subscription.history({ limit: 200, reverse: true }).then(({ publications }) => publications.forEach(heard), () => {});
    });
    subscription.subscribe();
  }

  async #askBackend(): Promise<void> {
    const there = await this.backend.greet(this.me.name);
    this.#events.changed(null);
    if (!there) return;
    void this.releases.flush();
    try {
      for (const name of await this.backend.rooms()) if (isRoomName(name)) this.knownRooms.add(name);
      for (const person of (await this.backend.people()).slice(0, mostPeople)) {
        if (!this.people.has(person.user)) this.meet(person);
      }
    } catch {
      // It went away again: what is known without it remains.
    }
    this.#events.changed(null);
  }

  #remembered(what: string, otherwise: string[]): string[] {
    try {
      const list = JSON.parse(localStorage.getItem(`fairlead-chat/${what}/${this.me.user}`) ?? "null") as unknown;
      return Array.isArray(list) ? list.filter((one) => typeof one === "string") : otherwise;
    } catch {
      return otherwise;
    }
  }
  #remember(what: string, list: string[]): void {
    try {
      localStorage.setItem(`fairlead-chat/${what}/${this.me.user}`, JSON.stringify(list));
    } catch {
      // The storage is full: the next visit begins in the lobby.
    }
  }
  #rememberRooms(): void {
    this.#remember("rooms", [...this.rooms.values()].map((talk) => talk.place.title));
  }
}

function transports(facts: Facts): TransportEndpoint[] {
  const all: TransportEndpoint[] = [{ transport: "websocket", endpoint: `wss://${location.host}/connection/websocket` }];
  const path = `${location.origin}/connection`;
  if (facts.http_stream) all.push({ transport: "http_stream", endpoint: `${path}/http_stream` });
  if (facts.sse) all.push({ transport: "sse", endpoint: `${path}/sse` });
  return all;
}

export { UnauthorizedError };
