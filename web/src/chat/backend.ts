// SPDX-License-Identifier: Apache-2.0
// What the example's backend answers by rpc (examples/chat/backend.py). A server without one is fine: rooms are then
// known by their announcements alone, and pictures have to fit into a message.
import type { Centrifuge } from "centrifuge";
import type { Pictures } from "./pictures.ts";

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

  async #ask(method: string, data: unknown): Promise<unknown> {
    return (await this.#client.rpc(method, data)).data as unknown;
  }
}
