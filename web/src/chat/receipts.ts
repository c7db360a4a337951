// SPDX-License-Identifier: Apache-2.0
// How far each person has received and read a conversation: two offsets of its stream, published beside it. The newest
// of each person says everything about the older ones, so few publications are read and none is needed twice.

export interface Seen {
  readonly t: "seen";
  readonly epoch: string; // of the conversation's stream
  readonly delivered: number;
  readonly read: number;
}

export function readSeen(data: unknown): Seen | null {
  if (typeof data !== "object" || data === null) return null;
  const { t, epoch, delivered, read } = data as Record<string, unknown>;
  const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
  if (t !== "seen" || typeof epoch !== "string" || !isOffset(delivered) || !isOffset(read)) return null;
  return { t, epoch, delivered, read };
}

export class Receipts {
  #people = new Map<string, Seen>();

  // Never goes back within one life of the stream. True when something changed.
  apply(user: string, data: unknown): boolean {
    const seen = readSeen(data);
    if (seen === null || user === "") return false;
    const before = this.#people.get(user);
    const now = before?.epoch === seen.epoch
      ? { ...seen, delivered: Math.max(before.delivered, seen.delivered), read: Math.max(before.read, seen.read) }
      : seen;
    if (before && before.epoch === now.epoch && before.delivered === now.delivered && before.read === now.read) return false;
    this.#people.set(user, now);
    return true;
  }

  of(user: string): Seen | undefined {
    return this.#people.get(user);
  }
  // Who, other than the author, has received or read the message at this offset. Who has read has received.
  deliveredTo(offset: number, epoch: string, author: string): string[] {
    return this.#those(author, (seen) => seen.epoch === epoch && Math.max(seen.delivered, seen.read) >= offset);
  }
  readBy(offset: number, epoch: string, author: string): string[] {
    return this.#those(author, (seen) => seen.epoch === epoch && seen.read >= offset);
  }

  #those(author: string, fits: (seen: Seen) => boolean): string[] {
    return [...this.#people].filter(([user, seen]) => user !== author && fits(seen)).map(([user]) => user).sort();
  }
}
