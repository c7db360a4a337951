// SPDX-License-Identifier: Apache-2.0
// One conversation at work: its subscription, its history, what waits to be sent, and its receipts. It loses nothing
// (what the server could not recover is read from the history), and it sends one message at a time, each until the
// stream has shown it.
import type { Centrifuge, PublicationContext, SubscribedContext, Subscription } from "centrifuge";
import { codeOf, lasting } from "./backend.ts";
import type { Backend } from "./backend.ts";
import { toBlob } from "./images.ts";
import { largestInlineImage, readBody } from "./messages.ts";
import type { Body, Said } from "./messages.ts";
import type { Place } from "./names.ts";
import type { OfflineQueue, Position, Queued, Upload } from "./queue.ts";
import { PictureRefused } from "./pictures.ts";
import { Receipts } from "./receipts.ts";
import type { Releases } from "./releases.ts";
import { MessageStore } from "./store.ts";
import type { Author, Message } from "./store.ts";
import { unreadCount } from "./unread.ts";
import type { ReadMarks } from "./unread.ts";

const pageSize = 50;
const gapPage = 200;
const mostGapPages = 20;
const seenWithinMs = 10_000; // an accepted message that the stream has not shown by then is sent again
const receiptEveryMs = 1_000;
const receiptsRead = 200;
const mostUploadTries = 3; // then the picture stands aside, and what was written after it goes on
const retryFirstMs = 500;
const retryLongestMs = 15_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export interface TalkWorld {
  readonly client: Centrifuge;
  readonly backend: Backend;
  readonly queue: OfflineQueue;
  readonly releases: Releases;
  readonly marks: ReadMarks;
  readonly me: Author;
  readonly changed: (talk: Talk) => void;
  readonly arrived: (talk: Talk, message: Message) => void; // live, and of somebody else
  readonly met: (person: Author) => void;
}

export function authorOf(info: PublicationContext["info"]): Author | null {
  if (!info) return null;
  const name = (info.connInfo as { name?: unknown } | undefined)?.name;
  return { user: info.user, name: typeof name === "string" && name !== "" ? name.slice(0, 64) : info.user };
}

export class Talk {
  readonly place: Place;
  readonly store = new MessageStore();
  readonly receipts = new Receipts();
  live = false; // subscribed, and everything that was missed is here
  atStart = false; // the history has nothing older
  refused = "";
  readonly #world: TalkWorld;
  readonly #subscription: Subscription;
  #receiptsSubscription: Subscription | null = null;
  #round = 0; // of the subscription: what an older one still does is void
  #pumping = false;
  #loadingOlder = false;
  #receiptDue = 0;
  #receiptTold = { delivered: 0, read: 0, epoch: "" };

  constructor(place: Place, world: TalkWorld) {
    this.place = place;
    this.#world = world;
    this.#subscription = world.client.newSubscription(place.channel);
    this.#subscription.on("subscribing", () => this.#away());
    this.#subscription.on("subscribed", (context) => this.#subscribed(context));
    this.#subscription.on("unsubscribed", ({ code, reason }) => {
      this.#away();
      if (code >= 100) this.refused = reason;
      world.changed(this);
    });
    this.#subscription.on("publication", (context) => this.#heard(context));
    this.#subscription.subscribe();
  }

  get subscription(): Subscription {
    return this.#subscription;
  }
  get top(): Position {
    return { offset: this.store.newest, epoch: this.store.epoch };
  }

  messages(): Message[] {
    const pending = this.#world.queue.of(this.place.key).map((item) => ({
      body: shownBody(item), failed: item.state === "failed", why: item.why ?? "",
    }));
    return this.store.messages(pending, this.#world.me);
  }
  unread(): { count: number; more: boolean } {
    const mark = this.#world.marks.of(this.place.key);
    const count = unreadCount(this.store.messages(), mark, this.store.epoch, this.#world.me.user);
    const reached = mark?.epoch === this.store.epoch && this.store.oldest <= mark.offset + 1;
    return { count, more: count > 0 && !this.atStart && !reached };
  }

  // ── Saying ──────────────────────────────────────────────────────────────────────────────────────────────────────
  say(body: Body, upload?: Upload): void {
    this.#world.queue.put(this.place.key, body, upload ? { upload } : {});
    this.#world.changed(this);
    void this.#pump();
  }
  // A message of this user. The backend's picture goes once the stream shows the deletion.
  takeBack({ id, image }: Message): void {
    const body: Body = { t: "delete", id: crypto.randomUUID(), at: Date.now(), of: id };
    this.#world.queue.put(this.place.key, body, image?.id ? { picture: image.id } : {});
    this.#world.changed(this);
    void this.#pump();
  }
  retry(id: string): void {
    this.#world.queue.retry(id);
    this.#world.changed(this);
    void this.#pump();
  }
  discard(id: string): void {
    const body = this.#world.queue.find(id)?.body;
    if (body?.t === "say" && body.image?.id) this.#world.releases.add(body.image.id, id);
    this.#world.queue.remove(id);
    this.#world.changed(this);
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    let failures = 0;
    try {
      for (let item = this.#next(); item; item = this.#next()) {
        const { id } = item.body;
        try {
          await this.#send(item);
          failures = 0;
        } catch (error) {
          const stuck = item.upload !== undefined && this.live && failures >= mostUploadTries;
          if (error instanceof PictureRefused) this.#world.queue.failed(id, error.message);
          else if (lasting.has(codeOf(error)) || stuck) this.#world.queue.failed(id);
          else await pause(Math.min(retryFirstMs * 2 ** failures, retryLongestMs) * (0.5 + Math.random() / 2));
          failures += 1;
        }
        this.#world.changed(this);
      }
    } finally {
      this.#pumping = false;
    }
  }

  #next(): Queued | undefined {
    return this.live ? this.#world.queue.next(this.place.key) : undefined;
  }

  async #send(item: Queued): Promise<void> {
    const { queue, backend } = this.#world;
    const { id } = item.body;
    let body = item.body;
    if (item.upload && body.t === "say") {
      body = await withPicture(body, item.upload, backend);
      queue.uploaded(id, body);
    }
    queue.attempt(id, this.top);
    await this.#subscription.publish(body);
    if (this.store.has(this.#world.me.user, id)) {
      this.#seen(id);
      return;
    }
    queue.sent(id);
    setTimeout(() => {
      if (this.live && queue.of(this.place.key).some((one) => one.body.id === id && one.state === "sent")) {
        queue.rewind(this.place.key);
        void this.#pump();
      }
    }, seenWithinMs);
  }

  // ── Hearing ─────────────────────────────────────────────────────────────────────────────────────────────────────
  #away(): void {
    this.live = false;
    this.#round += 1;
    this.#world.changed(this);
  }

  #add(publication: PublicationContext): boolean {
    const author = authorOf(publication.info);
    const changed = this.store.add(publication.offset ?? 0, author, publication.data);
    if (author === null) return changed;
    if (author.user === this.#world.me.user) {
      const body = readBody(publication.data);
      if (body) this.#seen(body.id);
    } else {
      this.#world.met(author);
    }
    return changed;
  }

  // The stream shows what this user has written.
  #seen(id: string): void {
    const item = this.#world.queue.find(id);
    if (item?.picture && item.body.t === "delete") this.#world.releases.add(item.picture, item.body.of);
    this.#world.queue.remove(id);
  }

  #heard(publication: PublicationContext): void {
    const changed = this.#add(publication);
    this.tellReceipt();
    if (!changed) return;
    this.#world.changed(this);
    const author = authorOf(publication.info);
    const body = readBody(publication.data);
    if (body?.t !== "say" || !author || author.user === this.#world.me.user) return;
    const message = this.store.messages().find((one) => one.offset === publication.offset);
    if (message) this.#world.arrived(this, message);
  }

  // The SDK hands over what was recovered right after this event, so the rest waits for the next turn.
  #subscribed(context: SubscribedContext): void {
    this.#round += 1;
    const round = this.#round;
    this.refused = "";
    const epoch = context.streamPosition?.epoch ?? "";
    if (epoch !== this.store.epoch) this.store.reset(epoch);
    setTimeout(() => void this.#settle(context, round), 0);
  }

  async #settle(context: SubscribedContext, round: number): Promise<void> {
    for (let failures = 0; round === this.#round; failures += 1) {
      try {
        await this.#catchUp(context);
        if (round !== this.#round) return;
        break;
      } catch {
        await pause(Math.min(retryFirstMs * 2 ** failures, retryLongestMs));
      }
    }
    if (round !== this.#round) return;
    this.live = true;
    this.#world.queue.rewind(this.place.key);
    if (this.store.newest > 0 || this.place.kind === "room") this.#followReceipts();
    this.tellReceipt();
    this.#world.changed(this);
    void this.#pump();
  }

  async #catchUp(context: SubscribedContext): Promise<void> {
    const recovered = context.wasRecovering && context.recovered && this.store.newest > 0;
    if (!recovered && !(context.wasRecovering && (await this.#fillGap()))) await this.#loadLatest();
    // What an earlier visit sent may stand in the stream farther back than the first page.
    const earliest = this.#world.queue.earliest(this.place.key, this.store.epoch);
    for (let page = 0; earliest !== undefined && !this.atStart && this.store.oldest > earliest + 1 && page < mostGapPages; page += 1) {
      await this.#loadOlderPage();
    }
  }

  // What comes live while the answer is on its way stays: it is the continuation of the page.
  async #loadLatest(): Promise<void> {
    this.store.reset(this.store.epoch);
    const page = await this.#subscription.history({ limit: pageSize, reverse: true });
    if (page.epoch !== this.store.epoch) throw new Error("the stream began anew in between");
    for (const publication of page.publications) this.#add(publication);
    this.atStart = page.publications.length < pageSize;
  }

  // From the last offset that is here up to the top. False when there is too much of it, or it is gone.
  async #fillGap(): Promise<boolean> {
    if (this.store.newest === 0) return false;
    for (let page = 0; page < mostGapPages; page += 1) {
      const since = { offset: this.store.newest, epoch: this.store.epoch };
      const { publications, offset } = await this.#subscription.history({ limit: gapPage, since });
      const first = publications[0]?.offset;
      if (first !== undefined && first !== since.offset + 1) return false;
      for (const publication of publications) this.#add(publication);
      if (this.store.newest >= offset) return true;
      if (publications.length === 0) return false;
    }
    return false;
  }

  async #loadOlderPage(): Promise<void> {
    const since = { offset: this.store.oldest, epoch: this.store.epoch };
    const { publications } = await this.#subscription.history({ limit: pageSize, reverse: true, since });
    for (const publication of publications) this.#add(publication);
    this.atStart = publications.length < pageSize;
  }

  async loadOlder(): Promise<boolean> {
    if (!this.live || this.atStart || this.#loadingOlder || this.store.oldest === 0) return false;
    this.#loadingOlder = true;
    try {
      await this.#loadOlderPage();
      return true;
    } catch {
      return false;
    } finally {
      this.#loadingOlder = false;
    }
  }

  // ── Receipts ────────────────────────────────────────────────────────────────────────────────────────────────────
  #followReceipts(): void {
    if (this.#receiptsSubscription) return;
    const subscription = this.#world.client.newSubscription(this.place.receipts);
    this.#receiptsSubscription = subscription;
    const apply = ({ info, data }: PublicationContext): boolean => this.receipts.apply(info?.user ?? "", data);
    subscription.on("publication", (publication) => {
      if (apply(publication)) this.#world.changed(this);
    });
    subscription.on("subscribed", () => {
      this.tellReceipt();
      subscription.history({ limit: receiptsRead, reverse: true }).then(({ publications }) => {
        for (const publication of publications) apply(publication);
        this.#world.changed(this);
      }, () => {}); // the next subscription asks again
    });
    subscription.subscribe();
  }

  // This user has read everything that is here.
  read(): void {
    if (!this.live || this.store.newest === 0) return;
    if (!this.#world.marks.move(this.place.key, this.top)) return;
    this.tellReceipt();
    this.#world.changed(this);
  }

  // At most one in a while; the last one counts.
  tellReceipt(): void {
    if (this.#receiptDue !== 0) return;
    this.#receiptDue = window.setTimeout(() => {
      this.#receiptDue = 0;
      if (this.live && this.store.newest > 0) this.#followReceipts();
      const { epoch, newest } = this.store;
      const mark = this.#world.marks.of(this.place.key);
      const receipt = { t: "seen", epoch, delivered: newest, read: mark?.epoch === epoch ? mark.offset : 0 };
      const told = this.#receiptTold;
      if (told.epoch === epoch && told.delivered >= receipt.delivered && told.read >= receipt.read) return;
      const subscription = this.#receiptsSubscription;
      if (!this.live || newest === 0 || subscription?.state !== "subscribed") return;
      this.#receiptTold = receipt;
      subscription.publish(receipt).catch(() => {
        this.#receiptTold = told;
      });
    }, receiptEveryMs);
  }

  end(): void {
    for (const subscription of [this.#subscription, this.#receiptsSubscription]) {
      if (!subscription) continue;
      subscription.unsubscribe();
      subscription.removeAllListeners();
      this.#world.client.removeSubscription(subscription);
    }
    window.clearTimeout(this.#receiptDue);
    this.live = false;
    this.#round += 1;
  }
}

// While a picture waits for its upload it is shown from the queue.
function shownBody({ body, upload }: Queued): Body {
  return body.t === "say" && upload ? { ...body, image: { ...upload } } : body;
}

async function withPicture(body: Said, upload: Upload, backend: Backend): Promise<Said> {
  const { width, height, type, data } = upload;
  if (data.length <= largestInlineImage && backend.largestPicture === 0) return { ...body, image: { width, height, type, data } };
  const id = await backend.pictures.put(toBlob(data, type));
  await backend.usePicture(id, body.id);
  return { ...body, image: { width, height, type, id } };
}
