// SPDX-License-Identifier: Apache-2.0
// The conversation: utterances and notes in the order in which they came, bounded, following the newest line unless
// the reader has scrolled up. After a reconnect only what was missed is added.
import { byId, make, show } from "../dom.ts";
import type { Utterance } from "./room_protocol.ts";

const lineLimit = 500;
const nearBottomPx = 40;
const sameVoiceMs = 120_000; // utterances of one member within this time share one heading

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export class RoomLog {
  private readonly log = byId("room-log"); // what scrolls and is read out
  private readonly list = byId("room-lines");
  private readonly jump = byId("room-jump");
  private last: Utterance | undefined; // the utterance of the last line, when that line is one
  private newestAtMs = 0;
  private newest = new Set<string>(); // the utterances of that very millisecond
  private welcomed = false;
  private following = true; // the reader is at the newest line

  constructor() {
    this.jump.addEventListener("click", () => this.follow());
    this.log.addEventListener("scroll", () => {
      this.following = this.atBottom();
      if (this.following) show(this.jump, false);
    });
    new ResizeObserver(() => {
      if (this.following) this.follow(); // a keyboard that slides in, a window that is turned
    }).observe(this.log);
  }

  welcome(history: readonly Utterance[], ownName: string): void {
    this.log.setAttribute("aria-busy", "true"); // old news is not read aloud
    for (const utterance of history) if (!this.knows(utterance)) this.add(utterance, false);
    this.note(this.welcomed ? `You are back as ${ownName}` : `You joined as ${ownName}`);
    this.welcomed = true;
    this.log.removeAttribute("aria-busy");
    this.follow();
  }

  add(utterance: Utterance, own: boolean): void {
    this.remember(utterance);
    const continued = this.last?.id === utterance.id && this.last.from === utterance.from && utterance.atMs - this.last.atMs < sameVoiceMs;
    const item = make("li", `said${own ? " own" : ""}${continued ? " continued" : ""}`);
    const time = make("time", "quiet", clock.format(utterance.atMs));
    time.setAttribute("datetime", new Date(utterance.atMs).toISOString());
    item.append(
      make("p", "heading", make("span", `dot hue-${utterance.id % 8}`), make("span", "from", utterance.from), time),
      make("p", "text", utterance.text),
    );
    this.append(item);
    this.last = utterance;
  }

  note(text: string): void {
    this.append(make("li", "note", text));
    this.last = undefined;
  }

  private append(item: HTMLElement): void {
    this.list.append(item);
    while (this.list.childElementCount > lineLimit) this.list.firstElementChild?.remove();
    if (this.following) this.follow();
    else show(this.jump, true);
  }

  private atBottom(): boolean {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < nearBottomPx;
  }

  private follow(): void {
    this.following = true;
    this.log.scrollTop = this.log.scrollHeight;
    show(this.jump, false);
  }

  private remember(utterance: Utterance): void {
    if (utterance.atMs > this.newestAtMs) {
      this.newestAtMs = utterance.atMs;
      this.newest.clear();
    }
    this.newest.add(keyOf(utterance));
  }

  private knows(utterance: Utterance): boolean {
    return utterance.atMs < this.newestAtMs || (utterance.atMs === this.newestAtMs && this.newest.has(keyOf(utterance)));
  }
}

const keyOf = (utterance: Utterance): string => JSON.stringify([utterance.id, utterance.from, utterance.text]);
