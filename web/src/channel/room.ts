// SPDX-License-Identifier: Apache-2.0
// The shared room on the page: who is here, what was said, and the two forms. It shows only what the server has said,
// in the server's order, so every member sees the same conversation.
import { byId, make } from "../dom.ts";
import { RoomLog } from "./room_log.ts";
import { nameFault, parseLine, parseRoomEvent } from "./room_protocol.ts";
import type { Member, RoomCommand, RoomEvent } from "./room_protocol.ts";

const typingEveryMs = 2_000; // how often we say that we are typing
const typingShownMs = 3_500; // how long we believe somebody else who said so
const nameKey = "fairlead.name";

type Send = (command: RoomCommand) => boolean;

export class Room {
  private readonly log = new RoomLog();
  private readonly members = new Map<number, string>();
  private readonly typing = new Map<number, number>(); // member → until when, in ms
  private self: Member | undefined;
  private toldTypingMs = Number.NEGATIVE_INFINITY;
  private readonly say = byId<HTMLInputElement>("say");
  private readonly name = byId<HTMLInputElement>("name");
  private readonly send: Send;
  private readonly now: () => number;

  constructor(send: Send, now: () => number) {
    this.send = send;
    this.now = now;
    byId("room-composer").addEventListener("submit", (event) => this.submitLine(event));
    byId("room-naming").addEventListener("submit", (event) => this.submitName(event));
    this.say.addEventListener("input", () => this.tellTyping());
    this.setConnected(false);
  }

  setConnected(connected: boolean): void {
    byId<HTMLButtonElement>("room-send").disabled = !connected;
    byId("room").dataset["connected"] = String(connected);
    if (connected) return;
    this.self = undefined;
    this.members.clear();
    this.typing.clear();
    this.drawMembers();
    this.drawTyping();
  }

  hear(text: string): void {
    const event = parseRoomEvent(text);
    if (event !== undefined) this.apply(event);
  }

  // Lets "is typing" fade.
  tick(): void {
    const nowMs = this.now();
    const before = this.typing.size;
    for (const [id, untilMs] of this.typing) if (untilMs <= nowMs) this.typing.delete(id);
    if (this.typing.size !== before) this.drawTyping();
  }

  private apply(event: RoomEvent): void {
    switch (event.type) {
      case "welcome":
        return this.welcome(event);
      case "message":
        this.typing.delete(event.utterance.id);
        this.log.add(event.utterance, event.utterance.id === this.self?.id);
        return this.drawTyping();
      case "joined":
        return this.joined(event.member);
      case "left":
        return this.left(event.member);
      case "renamed":
        return this.renamed(event.id, event.from, event.to);
      case "typing":
        return this.typed(event.member);
      case "error":
        byId("room-fault").textContent = `The server says: ${event.reason}`;
    }
  }

  private welcome({ self, members, history }: Extract<RoomEvent, { type: "welcome" }>): void {
    this.self = self;
    this.name.value = self.name;
    this.members.clear();
    for (const member of members) this.members.set(member.id, member.name);
    this.members.set(self.id, self.name);
    this.log.welcome(history, self.name);
    this.drawMembers();
    const wanted = rememberedName();
    if (wanted !== "" && wanted !== self.name) this.send({ type: "name", name: wanted });
  }

  private joined(member: Member): void {
    if (this.members.has(member.id)) return;
    this.members.set(member.id, member.name);
    this.log.note(`${member.name} joined`);
    this.drawMembers();
  }

  private left(member: Member): void {
    if (!this.members.delete(member.id)) return;
    this.typing.delete(member.id);
    this.log.note(`${member.name} left`);
    this.drawMembers();
    this.drawTyping();
  }

  private renamed(id: number, from: string, to: string): void {
    this.members.set(id, to);
    this.log.note(`${from} is now ${to}`);
    if (id === this.self?.id) {
      this.self = { id, name: to };
      this.name.value = to;
      rememberName(to);
    }
    this.drawMembers();
  }

  private typed(member: Member): void {
    if (member.id === this.self?.id) return;
    this.typing.set(member.id, this.now() + typingShownMs);
    this.drawTyping();
  }

  private submitLine(event: Event): void {
    event.preventDefault();
    const command = parseLine(this.say.value);
    const fault = command?.type === "name" ? nameFault(command.name) : "";
    byId("room-fault").textContent = fault;
    if (command === undefined || fault !== "" || !this.send(command)) return;
    this.say.value = "";
    this.toldTypingMs = Number.NEGATIVE_INFINITY;
  }

  private submitName(event: Event): void {
    event.preventDefault();
    const name = this.name.value.trim();
    const fault = nameFault(name);
    byId("room-fault").textContent = fault;
    if (fault === "" && this.send({ type: "name", name })) this.say.focus();
  }

  private tellTyping(): void {
    const nowMs = this.now();
    if (this.say.value === "" || nowMs - this.toldTypingMs < typingEveryMs) return;
    if (this.send({ type: "typing" })) this.toldTypingMs = nowMs;
  }

  private drawMembers(): void {
    const items = [...this.members].map(([id, name]) => {
      const own = id === this.self?.id;
      const item = make("li", own ? "member own" : "member", make("span", `dot hue-${id % 8}`), make("span", "name", name));
      if (own) item.append(make("span", "quiet", " (you)"));
      return item;
    });
    byId("room-members").replaceChildren(...items);
    byId("room-count").textContent = items.length === 0 ? "" : items.length === 1 ? "1 member" : `${items.length} members`;
  }

  private drawTyping(): void {
    const names = [...this.typing.keys()].map((id) => this.members.get(id) ?? "somebody");
    const verb = names.length === 1 ? "is" : "are";
    const text = names.length === 0 ? "" : `${names.slice(0, 3).join(", ")} ${verb} typing…`;
    const line = byId("room-typing");
    if (line.textContent !== text) line.textContent = text;
  }
}

// The name lasts as long as the tab: two windows are two people.
function rememberedName(): string {
  try {
    return sessionStorage.getItem(nameKey) ?? "";
  } catch {
    return ""; // storage may be forbidden
  }
}

function rememberName(name: string): void {
  try {
    sessionStorage.setItem(nameKey, name);
  } catch {
    // storage may be forbidden: the name then lasts as long as the connection
  }
}
