// SPDX-License-Identifier: Apache-2.0
// Pictures of messages that were taken back. The backend is told until it has heard it, by a later visit if need be: what
// it still has to hear is kept in the browser's storage.
import type { Storage } from "./queue.ts";

export class Releases {
  readonly #storage: Storage;
  readonly #prefix: string;
  readonly #tell: (picture: string, message: string) => Promise<void>;
  #told: Promise<void> = Promise.resolve();

  // `tell` rejects when it may be tried again later.
  constructor(storage: Storage, user: string, tell: (picture: string, message: string) => Promise<void>) {
    this.#storage = storage;
    this.#prefix = `fairlead-chat/release/${user}/`;
    this.#tell = tell;
  }

  add(picture: string, message: string): void {
    try {
      this.#storage.setItem(this.#prefix + message, picture);
    } catch {
      // The storage is full: this is the only try.
      this.#tell(picture, message).catch(() => {});
      return;
    }
    void this.flush();
  }

  // The backend is there. Ends early when it is not.
  flush(): Promise<void> {
    this.#told = this.#told.then(() => this.#tellAll());
    return this.#told;
  }

  async #tellAll(): Promise<void> {
    try {
      for (const key of this.#keys()) {
        await this.#tell(this.#storage.getItem(key) ?? "", key.slice(this.#prefix.length));
        this.#storage.removeItem(key);
      }
    } catch {
      // The next connection tries again.
    }
  }

  #keys(): string[] {
    const all = Array.from({ length: this.#storage.length }, (_, index) => this.#storage.key(index));
    return all.filter((key) => key !== null).filter((key) => key.startsWith(this.#prefix));
  }
}
