// SPDX-License-Identifier: Apache-2.0
// One conversation as the page knows it: what the stream said, in the stream's order, each message once. Pages of
// history, recovered and live publications may come in any order and more than once; the result is the same.
import { readBody } from "./messages.ts";
import type { Body, Deleted, Edited, Picture, Said, SystemLine } from "./messages.ts";

export interface Author {
  readonly user: string;
  readonly name: string;
}
export type Progress = "kept" | "waiting" | "failed";
export interface Message {
  readonly key: string; // the author and the author's id of it
  readonly id: string;
  readonly offset: number; // 0: not seen in the stream yet
  readonly author: Author | null; // null: the system
  readonly at: number;
  readonly text: string;
  readonly image?: Picture;
  readonly edited: boolean;
  readonly deleted: boolean;
  readonly progress: Progress;
  readonly why?: string; // it failed
}

interface Kept {
  readonly offset: number;
  readonly author: Author | null;
  readonly body: Said | SystemLine;
}

// An id is the author's own business: nobody can take or hide that of another.
export const keyOf = (user: string, id: string): string => `${user}/${id}`;

export class MessageStore {
  epoch = "";
  oldest = 0; // offsets that were seen, of whatever kind; 0: none
  newest = 0;
  #kept: Kept[] = []; // by offset
  #offsets = new Map<string, number>(); // by key, of everything that has an author
  #edits = new Map<string, { offset: number; text: string }>(); // by the key of what was edited
  #deleted = new Set<string>();

  // Forgets everything: another life of the stream begins.
  reset(epoch: string): void {
    this.epoch = epoch;
    this.oldest = 0;
    this.newest = 0;
    this.#kept = [];
    this.#offsets.clear();
    this.#edits.clear();
    this.#deleted.clear();
  }

  // A publication. True when something changed that can be seen.
  add(offset: number, author: Author | null, data: unknown): boolean {
    this.oldest = this.oldest === 0 ? offset : Math.min(this.oldest, offset);
    this.newest = Math.max(this.newest, offset);
    const body = readBody(data);
    if (body === null || (body.t === "system") !== (author === null)) return false;
    const key = keyOf(author?.user ?? "", body.id);
    const known = this.#offsets.get(key);
    if (known !== undefined && known <= offset) return false; // a double
    this.#offsets.set(key, offset);
    if (body.t === "edit" || body.t === "delete") return author !== null && this.#change(offset, author.user, body);
    // The first of two counts, also when a page of history brings it later.
    if (known !== undefined) this.#kept = this.#kept.filter((one) => one.offset !== known);
    this.#insert({ offset, author, body });
    return true;
  }

  has(user: string, id: string): boolean {
    return this.#offsets.has(keyOf(user, id));
  }

  // What can be shown, with what this user has written and the stream has not shown yet behind it.
  messages(pending: readonly PendingBody[] = [], me: Author | null = null): Message[] {
    const shown = this.#kept.map((one) => this.#message(one));
    return pending.length > 0 && me ? withPending(shown, pending, me) : shown;
  }

  #change(offset: number, user: string, body: Edited | Deleted): boolean {
    const target = keyOf(user, body.of); // only the author's own
    if (body.t === "delete") {
      this.#deleted.add(target);
      return true;
    }
    const before = this.#edits.get(target);
    if (before && before.offset > offset) return false;
    this.#edits.set(target, { offset, text: body.text });
    return true;
  }

  #insert(one: Kept): void {
    let at = this.#kept.length;
    while (at > 0 && (this.#kept[at - 1]?.offset ?? 0) > one.offset) at -= 1;
    this.#kept.splice(at, 0, one);
  }

  #message({ offset, author, body }: Kept): Message {
    const key = keyOf(author?.user ?? "", body.id);
    const edit = author ? this.#edits.get(key) : undefined;
    const deleted = author !== null && this.#deleted.has(key);
    return {
      key, id: body.id, offset, author, at: body.at, text: deleted ? "" : (edit?.text ?? body.text),
      ...(body.t === "say" && body.image && !deleted ? { image: body.image } : {}),
      edited: edit !== undefined && !deleted, deleted, progress: "kept",
    };
  }
}

export interface PendingBody {
  readonly body: Body;
  readonly failed: boolean;
  readonly why?: string;
}

// The optimistic echo: messages that wait stand at the end, edits and deletions that wait are applied.
function withPending(shown: Message[], pending: readonly PendingBody[], me: Author): Message[] {
  const all = [...shown];
  for (const { body, failed, why } of pending) {
    const progress: Progress = failed ? "failed" : "waiting";
    if (body.t === "say") {
      all.push({
        key: keyOf(me.user, body.id), id: body.id, offset: 0, author: me, at: body.at, text: body.text,
        ...(body.image ? { image: body.image } : {}), edited: false, deleted: false, progress, ...(why ? { why } : {}),
      });
      continue;
    }
    const at = all.findIndex((one) => one.key === keyOf(me.user, body.of));
    const target = all[at];
    if (!target || target.deleted || failed) continue;
    const { image, ...rest } = target;
    all[at] = body.t === "delete"
      ? { ...rest, text: "", deleted: true, edited: false, progress: "waiting" }
      : { ...target, text: body.text, edited: true, progress: "waiting" };
  }
  return all;
}
