// SPDX-License-Identifier: Apache-2.0
// What this user has written and the stream has not shown yet. It is kept in the browser's storage, so a page that is
// closed loses nothing; each item has its own key there, so that two tabs do not overwrite each other. An item is sent
// again, with the same id, until it is seen; whoever reads the stream drops doubles.
import type { Body } from "./messages.ts";

export interface Storage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}
export interface Position {
  readonly offset: number;
  readonly epoch: string;
}
export interface Upload {
  readonly data: string; // base64
  readonly type: string;
  readonly width: number;
  readonly height: number;
}
// waiting: to be sent (again); sent: the server has it, the stream has not shown it yet; failed: it will not be taken.
export type QueueState = "waiting" | "sent" | "failed";
export interface Queued {
  readonly place: string;
  readonly order: number;
  readonly body: Body;
  readonly upload?: Upload; // goes to the backend first
  readonly picture?: string; // with a deletion: what the backend keeps for the message that it takes back
  readonly after?: Position; // the stream's top when it was first sent: it can only stand behind it
  readonly state: QueueState;
  readonly why?: string; // it failed, for the author
}

export class OfflineQueue {
  #items = new Map<string, Queued>(); // by the id of the body
  #order = 0;
  readonly #storage: Storage;
  readonly #prefix: string;

  constructor(storage: Storage, user: string) {
    this.#storage = storage;
    this.#prefix = `fairlead-chat/queue/${user}/`;
    this.#load();
  }

  put(place: string, body: Body, more: Pick<Queued, "upload" | "picture"> = {}): Queued {
    this.#order = Math.max(this.#order + 1, body.at);
    const item: Queued = { place, order: this.#order, body, ...more, state: "waiting" };
    this.#keep(item);
    return item;
  }

  find(id: string): Queued | undefined {
    return this.#items.get(id);
  }
  // Of one conversation, in the order in which they were written.
  of(place: string): Queued[] {
    return [...this.#items.values()].filter((item) => item.place === place).sort((a, b) => a.order - b.order);
  }
  // The next one to send. One at a time: the stream then has them in this order.
  next(place: string): Queued | undefined {
    return this.of(place).find((item) => item.state === "waiting");
  }
  places(): string[] {
    return [...new Set([...this.#items.values()].map((item) => item.place))];
  }
  get size(): number {
    return this.#items.size;
  }
  // The farthest back that the stream may hold something of ours that we have not seen.
  earliest(place: string, epoch: string): number | undefined {
    const offsets = this.of(place).flatMap((item) => (item.after?.epoch === epoch ? [item.after.offset] : []));
    return offsets.length > 0 ? Math.min(...offsets) : undefined;
  }

  // About to be sent for the first time, with this top of the stream.
  attempt(id: string, after: Position): void {
    this.#update(id, (item) => (item.after ? item : { ...item, after }));
  }
  // The picture is with the backend now.
  uploaded(id: string, body: Body): void {
    this.#update(id, ({ upload: _done, ...item }) => ({ ...item, body }));
  }
  sent(id: string): void {
    this.#update(id, (item) => ({ ...item, state: "sent" }));
  }
  failed(id: string, why = ""): void {
    this.#update(id, (item) => ({ ...item, state: "failed", ...(why === "" ? {} : { why }) }));
  }
  retry(id: string): void {
    this.#update(id, ({ why: _told, ...item }) => (item.state === "failed" ? { ...item, state: "waiting" } : item));
  }
  // Everything that was sent and should have been seen by now is sent again.
  rewind(place: string): void {
    for (const item of this.of(place)) if (item.state === "sent") this.#keep({ ...item, state: "waiting" });
  }
  // Seen in the stream, or given up. True when it was here.
  remove(id: string): boolean {
    if (!this.#items.delete(id)) return false;
    this.#storage.removeItem(this.#prefix + id);
    return true;
  }

  #update(id: string, change: (item: Queued) => Queued): void {
    const item = this.#items.get(id);
    if (item) this.#keep(change(item));
  }

  #keep(item: Queued): void {
    this.#items.set(item.body.id, item);
    try {
      this.#storage.setItem(this.#prefix + item.body.id, JSON.stringify(item));
    } catch {
      // The storage is full: the item lives as long as the page.
    }
  }

  #load(): void {
    const keys = Array.from({ length: this.#storage.length }, (_, index) => this.#storage.key(index));
    for (const key of keys) {
      if (!key?.startsWith(this.#prefix)) continue;
      try {
        const item = JSON.parse(this.#storage.getItem(key) ?? "") as Queued;
        if (typeof item.body.id !== "string" || typeof item.place !== "string") throw new Error("not an item");
        this.#items.set(item.body.id, item.state === "sent" ? { ...item, state: "waiting" } : item);
        this.#order = Math.max(this.#order, item.order);
      } catch {
        this.#storage.removeItem(key);
      }
    }
  }
}
