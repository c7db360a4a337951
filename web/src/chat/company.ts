// SPDX-License-Identifier: Apache-2.0
// Who else is in the conversation that is open: present, and typing.
import type { Centrifuge, Subscription } from "centrifuge";
import { authorOf } from "./talk.ts";
import type { Author } from "./store.ts";
import type { Talk } from "./talk.ts";
import { TypingIn, TypingOut } from "./typing.ts";

export class Company {
  readonly typing = new TypingIn();
  #out = new TypingOut();
  #here = new Map<string, Author>(); // by connection: a person may have several
  readonly #talk: Talk;
  readonly #client: Centrifuge;
  readonly #me: Author;
  readonly #changed: () => void;
  readonly #typingSubscription: Subscription;
  readonly #listeners: (() => void)[] = [];

  constructor(talk: Talk, client: Centrifuge, me: Author, changed: () => void) {
    this.#talk = talk;
    this.#client = client;
    this.#me = me;
    this.#changed = changed;
    const subscription = talk.subscription;
    const join = ({ info }: { info: Parameters<typeof authorOf>[0] }): void => this.#arrived(info);
    const leave = ({ info }: { info: { client: string } }): void => {
      this.#here.delete(info.client);
      this.#changed();
    };
    // Said, edited or taken back: whoever did it types no more.
    const said = ({ info }: { info?: { user: string } }): void => {
      this.typing.said(info?.user ?? "");
      this.#changed();
    };
    const ask = (): void => void this.#ask();
    subscription.on("join", join);
    subscription.on("leave", leave);
    subscription.on("publication", said);
    subscription.on("subscribed", ask);
    this.#listeners.push(() => {
      subscription.off("join", join);
      subscription.off("leave", leave);
      subscription.off("publication", said);
      subscription.off("subscribed", ask);
    });
    if (subscription.state === "subscribed") ask();
    this.#typingSubscription = client.newSubscription(talk.place.typing);
    this.#typingSubscription.on("publication", ({ info, data }) => {
      const author = authorOf(info);
      if (!author || author.user === me.user || (data as { t?: unknown } | null)?.t !== "typing") return;
      this.typing.heard(author.user, author.name, performance.now());
      changed();
    });
    this.#typingSubscription.subscribe();
  }

  // Each once, this user first, the others by name.
  people(): Author[] {
    const people = new Map([...this.#here.values()].map((one) => [one.user, one]));
    people.delete(this.#me.user);
    const others = [...people.values()].sort((a, b) => a.name.localeCompare(b.name));
    return this.#here.size > 0 ? [this.#me, ...others] : others;
  }

  typed(): void {
    if (!this.#out.typed(performance.now()) || this.#typingSubscription.state !== "subscribed") return;
    this.#typingSubscription.publish({ t: "typing" }).catch(() => {}); // the next character tells it again
  }
  sent(): void {
    this.#out.stopped();
  }

  end(): void {
    for (const stop of this.#listeners) stop();
    this.#typingSubscription.unsubscribe();
    this.#typingSubscription.removeAllListeners();
    this.#client.removeSubscription(this.#typingSubscription);
  }

  #arrived(info: Parameters<typeof authorOf>[0]): void {
    const author = authorOf(info);
    if (!info || !author || author.user === "") return;
    this.#here.set(info.client, author);
    this.#changed();
  }

  async #ask(): Promise<void> {
    try {
      const { clients } = await this.#talk.subscription.presence();
      this.#here = new Map();
      for (const info of Object.values(clients)) this.#arrived(info);
      this.#changed();
    } catch {
      // The next subscription asks again; joins and leaves are heard meanwhile.
    }
  }
}
