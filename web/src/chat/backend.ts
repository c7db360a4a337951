// SPDX-License-Identifier: Apache-2.0
// What the example's backend answers by rpc (examples/chat/backend.py). A server without one is fine: rooms are then
// known by their announcements alone, and pictures have to fit into a message.
import type { Centrifuge } from "centrifuge";
import type { Pictures } from "./pictures.ts";

// Answers that will not change: unknown channel, permission, method, request, limit, not available.
export const lasting: ReadonlySet<number> = new Set([102, 103, 104, 106, 107, 108]);
export const codeOf = (error: unknown): number => Number((error as { code?: unknown } | null)?.code ?? 0);

export interface Person {
  readonly user: string;
  readonly name: string;
}

export class Backend {
  here = false;
  readonly pictures: Pictures;
  readonly #client: Centrifuge;

  constructor(client: Centrifuge, pictures: Pictures) {
    this.#client = client;
    this.pictures = pictures;
  }

  // The largest picture that it keeps, in bytes; 0: none.
  get largestPicture(): number {
    return this.here ? this.pictures.largest : 0;
  }

  // Asked at each connection: a backend may come and go.
  async greet(name: string): Promise<boolean> {
    this.here = await this.#ask("hello", { name }).then(() => true, () => false);
    return this.here;
  }

  async rooms(): Promise<string[]> {
    const { rooms } = (await this.#ask("rooms.list", {})) as { rooms: string[] };
    return rooms.filter((name) => typeof name === "string");
  }
  async createRoom(name: string): Promise<void> {
    await this.#ask("rooms.create", { name });
  }
  async people(): Promise<Person[]> {
    const { users } = (await this.#ask("users.list", {})) as { users: Person[] };
    return users.filter(({ user, name }) => typeof user === "string" && typeof name === "string");
  }
  // Has the backend tell the other that there is something to read.
  async invite(user: string): Promise<void> {
    await this.#ask("direct.open", { user });
  }

  // A message of this user has this picture of his.
  async usePicture(id: string, message: string): Promise<void> {
    const { kept } = (await this.#ask("pictures.use", { id, message })) as { kept: boolean };
    if (!kept) throw new Error("the picture went with another message"); // put again, it is there
  }
  // It has it no more. Rejects when the backend may hear of it later.
  async releasePicture(id: string, message: string): Promise<void> {
    await this.#ask("pictures.release", { id, message }).catch((error: unknown) => {
      if (!lasting.has(codeOf(error))) throw error;
    });
  }

  async #ask(method: string, data: unknown): Promise<unknown> {
    return (await this.#client.rpc(method, data)).data as unknown;
  }
}
