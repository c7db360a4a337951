// SPDX-License-Identifier: Apache-2.0
// What the console asks of one channel, and what it calls: publish, presence, history page by page, rpc.
import type { HistoryOptions, HistoryResult, PublicationContext } from "centrifuge";
import { byId } from "../dom.ts";
import { incoming, outgoing } from "./client.ts";
import type { Client } from "./client.ts";

export interface Connected {
  readonly client: Client;
  readonly binary: boolean;
}
interface Page {
  readonly channel: string;
  readonly last: PublicationContext;
  readonly epoch: string;
  readonly reverse: boolean;
}

export class ChannelCalls {
  private readonly connected: () => Connected | undefined;
  private page: Page | undefined;

  constructor(connected: () => Connected | undefined) {
    this.connected = connected;
    submits("channel-form", () => this.answer("channel-answer", (now) => publish(now)));
    submits("rpc-form", () => this.answer("rpc-answer", (now) => call(now)));
    clicks("presence", () => this.answer("channel-answer", ({ client }) => client.presence(channel()).then(({ clients }) => plain(clients))));
    clicks("presence-stats", () => this.answer("channel-answer", ({ client }) => client.presenceStats(channel())));
    clicks("history", () => this.answer("channel-answer", (now) => this.history(now, undefined)));
    clicks("history-more", () => this.answer("channel-answer", (now) => this.history(now, this.page)));
  }

  private async history({ client }: Connected, after: Page | undefined): Promise<unknown> {
    const from = after?.channel === channel() ? after : undefined;
    const reverse = from?.reverse ?? byId<HTMLInputElement>("history-newest").checked;
    const options: HistoryOptions = { limit: Number(byId<HTMLInputElement>("history-limit").value) || 10, reverse };
    if (from !== undefined) options.since = { offset: from.last.offset ?? 0, epoch: from.epoch };
    const result = await client.history(channel(), options);
    this.remember(result, reverse, options.limit ?? 0);
    const told = result.publications.map(({ offset, data, info, tags }) => plain({ offset, data: incoming(data), user: info?.user, tags }));
    return { top: { offset: result.offset, epoch: result.epoch }, publications: told };
  }

  private remember({ publications, epoch }: HistoryResult, reverse: boolean, limit: number): void {
    const last = publications.at(-1);
    const more = last !== undefined && publications.length >= limit;
    this.page = more ? { channel: channel(), last, epoch, reverse } : undefined;
    byId<HTMLButtonElement>("history-more").disabled = !more;
  }

  private async answer(id: string, ask: (now: Connected) => Promise<unknown>): Promise<void> {
    const now = this.connected();
    if (now === undefined) return say(id, "Connect first.", true);
    try {
      say(id, JSON.stringify(await ask(now), undefined, 2), false);
    } catch (error) {
      say(id, fault(error), true);
    }
  }
}

const channel = (): string => byId<HTMLInputElement>("channel").value.trim();

async function publish({ client, binary }: Connected): Promise<unknown> {
  await client.publish(channel(), outgoing(byId<HTMLTextAreaElement>("data").value, binary));
  return `published to ${channel()}`;
}

async function call({ client, binary }: Connected): Promise<unknown> {
  const data = outgoing(byId<HTMLInputElement>("rpc-data").value || "null", binary);
  const answer = await client.rpc(byId<HTMLInputElement>("rpc-method").value, data);
  return incoming(answer.data);
}

// Bytes within it become what they are, for display.
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return incoming(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

function fault(error: unknown): string {
  if (error instanceof SyntaxError) return `That is no JSON: ${error.message}`;
  const { code, message } = error as { code?: number; message?: string };
  return code === undefined ? String(message ?? error) : `${message} (${code})`;
}

function say(id: string, text: string, bad: boolean): void {
  const element = byId(id);
  element.textContent = text;
  element.toggleAttribute("data-bad", bad);
}

function clicks(id: string, body: () => Promise<void>): void {
  byId(id).addEventListener("click", () => void body());
}

function submits(id: string, body: () => Promise<void>): void {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    void body();
  });
}
