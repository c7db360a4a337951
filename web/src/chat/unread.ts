// SPDX-License-Identifier: Apache-2.0
// How far this user has read each conversation, kept in the browser, and what is unread behind it.
import type { Message } from "./store.ts";
import type { Position, Storage } from "./queue.ts";

export class ReadMarks {
  readonly #storage: Storage;
  readonly #prefix: string;

  constructor(storage: Storage, user: string) {
    this.#storage = storage;
    this.#prefix = `fairlead-chat/read/${user}/`;
  }

  of(place: string): Position | undefined {
    try {
      const { offset, epoch } = JSON.parse(this.#storage.getItem(this.#prefix + place) ?? "null") as Position;
      return Number.isSafeInteger(offset) && typeof epoch === "string" ? { offset, epoch } : undefined;
    } catch {
      return undefined;
    }
  }

  // Never back within one life of the stream. True when it moved.
  move(place: string, to: Position): boolean {
    const before = this.of(place);
    if (before && before.epoch === to.epoch && before.offset >= to.offset) return false;
    try {
      this.#storage.setItem(this.#prefix + place, JSON.stringify(to));
    } catch {
      return false; // the storage is full
    }
    return true;
  }
}

// What others have said behind the mark. A mark of another life of the stream says nothing: everything is new.
export function unreadCount(messages: readonly Message[], mark: Position | undefined, epoch: string, me: string): number {
  const from = mark?.epoch === epoch ? mark.offset : 0;
  return messages.filter((one) => one.offset > from && one.author !== null && one.author.user !== me && !one.deleted).length;
}

export function unreadText(count: number, more: boolean): string {
  if (count === 0) return "";
  return count > 99 ? "99+" : `${count}${more ? "+" : ""}`;
}
