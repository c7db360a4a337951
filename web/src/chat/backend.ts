// SPDX-License-Identifier: Apache-2.0
// What the example's backend answers by rpc (examples/chat/backend.py). A server without one is fine: rooms are then
// known by their announcements alone, and pictures have to fit into a message.
import type { Centrifuge } from "centrifuge";
import type { Upload } from "./queue.ts";

export interface Abilities {
  readonly largestImage: number; // bytes
  readonly chunk: number; // base64 characters
}
export interface Person {
  readonly user: string;
  readonly name: string;
}

export class Backend {
  abilities: Abilities | null = null;
  readonly #client: Centrifuge;

  constructor(client: Centrifuge) {
    this.#client = client;
  }

  // Asked at each connection: a backend may come and go.
  async greet(name: string): Promise<boolean> {
    try {
      const said = (await this.#ask("hello", { name })) as { largest_image?: unknown; chunk?: unknown };
      const { largest_image: largestImage, chunk } = said;
      const sound = typeof largestImage === "number" && typeof chunk === "number" && chunk >= 1_024 && chunk % 4 === 0;
      this.abilities = sound ? { largestImage, chunk } : null;
    } catch {
      this.abilities = null;
    }
    return this.abilities !== null;
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

  // In pieces, of which each may be sent again; the answer to the last one names the picture.
  async putImage(id: string, { data, type, width, height }: Upload): Promise<string> {
    const size = this.abilities?.chunk ?? 32 * 1_024;
    const count = Math.ceil(data.length / size);
    let named = "";
    for (let index = 0; index < count; index += 1) {
      const piece = data.slice(index * size, (index + 1) * size);
      const answer = (await this.#ask("image.put", { upload: id, index, count, type, width, height, data: piece })) as { id?: string };
      named = answer.id ?? "";
    }
    if (named === "") throw new Error("the backend did not take the picture");
    return named;
  }

  async getImage(id: string): Promise<{ data: string; type: string }> {
    const pieces: string[] = [];
    for (let index = 0, count = 1; index < count && index < 1_000; index += 1) {
      const answer = (await this.#ask("image.get", { id, index })) as { data: string; type: string; count: number };
      pieces.push(answer.data);
      count = answer.count;
      if (index + 1 === count) return { data: pieces.join(""), type: answer.type };
    }
    throw new Error("the picture has no end");
  }

  async #ask(method: string, data: unknown): Promise<unknown> {
    return (await this.#client.rpc(method, data)).data as unknown;
  }
}
