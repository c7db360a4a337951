// SPDX-License-Identifier: Apache-2.0
// Pictures by the server's HTTP side: they are too large for a message. The server passes them to the backend, which
// names them, and from it to everybody who knows the name and may connect.
import type { Account, Facts } from "./account.ts";

// Not to be had, or not taken, however often it is tried; the message is for the reader.
export class PictureRefused extends Error {}

const unauthorized = 401;
const sentences: Readonly<Record<number, string>> = {
  401: "the server does not know you any more",
  403: "you may not send pictures here",
  404: "nobody keeps pictures here",
  413: "it is too large for this server",
  415: "the server does not take pictures of this kind",
};

// The server lets one user have only so many at a time (`attachments.at_a_time_of_user`): a page full of pictures asks for
// fewer than that at once, and again where other pages of the same user were quicker.
const atATime = 3;
const tries = 6;

export class Pictures {
  readonly largest: number; // bytes; 0: there is no such way
  #places = atATime;
  readonly #line: (() => void)[] = [];
  readonly #pauseMs: number;
  readonly #prefix: string;
  readonly #account: Account;
  #token: Promise<string> | null = null;

  constructor(facts: Facts, account: Account, pauseMs = 400) {
    this.#pauseMs = pauseMs;
    this.largest = facts.attachments?.max_size ?? 0;
    this.#prefix = facts.attachments?.prefix ?? "";
    this.#account = account;
  }

  // Its name. Sending the same again gives the same name.
  async put(picture: Blob): Promise<string> {
    const answer = await this.#fetch(this.#prefix, { method: "POST", body: picture });
    const { id } = (await answer.json()) as { id?: unknown };
    if (typeof id !== "string") throw new Error("the picture got no name");
    return id;
  }
  async get(id: string): Promise<Blob> {
    if (this.#places > 0) this.#places -= 1;
    else await new Promise<void>((go) => this.#line.push(go));
    try {
      return await this.#getPatiently(id);
    } finally {
      const next = this.#line.shift();
      if (next) next();
      else this.#places += 1;
    }
  }

  async #getPatiently(id: string): Promise<Blob> {
    for (let failed = 1; ; failed += 1) {
      try {
        return await (await this.#fetch(`${this.#prefix}/${id}`, {})).blob();
      } catch (error) {
        if (error instanceof PictureRefused || failed === tries) throw error;
        await new Promise((resume) => setTimeout(resume, this.#pauseMs * failed));
      }
    }
  }

  async #fetch(path: string, request: RequestInit): Promise<Response> {
    let answer = await this.#ask(path, request);
    if (answer.status === unauthorized && this.#account.renewable) {
      this.#token = null; // it has expired
      answer = await this.#ask(path, request);
    }
    if (answer.ok) return answer;
    if (answer.status === unauthorized) this.#token = null;
    const lasting = answer.status >= 400 && answer.status < 500 && answer.status !== 429;
    if (lasting) throw new PictureRefused(sentences[answer.status] ?? (await reasonOf(answer)));
    throw new Error(`status ${answer.status}`);
  }

  async #ask(path: string, request: RequestInit): Promise<Response> {
    this.#token ??= this.#account.token();
    const token = await this.#token.catch((error: unknown) => {
      this.#token = null;
      throw error;
    });
    return fetch(path, { ...request, headers: { Authorization: `Bearer ${token}` } });
  }
}

async function reasonOf(answer: Response): Promise<string> {
  try {
    const { error } = (await answer.json()) as { error?: { message?: unknown } };
    if (typeof error?.message === "string") return error.message.slice(0, 120);
  } catch {
    // no JSON
  }
  return `the server says ${answer.status}`;
}
