// SPDX-License-Identifier: Apache-2.0
// The subscriptions of the console's client: made from the form, each a row that tells its state and its position.
import type { Subscription, SubscriptionOptions } from "centrifuge";
import { byId, make, show } from "../dom.ts";
import type { Client } from "./client.ts";
import type { Journal } from "./journal.ts";
import { parseTagsFilter } from "./tags_filter.ts";

interface Row {
  readonly element: HTMLElement;
  readonly state: HTMLElement;
  readonly position: HTMLElement;
  readonly heard: HTMLElement;
  count: number;
}

export class Subscriptions {
  private readonly rows = new Map<string, Row>();
  private readonly journal: Journal;
  private readonly chosen: (channel: string) => void;

  constructor(journal: Journal, chosen: (channel: string) => void) {
    this.journal = journal;
    this.chosen = chosen;
  }

  // From the form as it is. A sentence when it cannot be.
  add(client: Client): string {
    const channel = byId<HTMLInputElement>("subscribe-channel").value.trim();
    const options = optionsOfForm();
    if (typeof options === "string") return options;
    const old = client.getSubscription(channel);
    if (old !== null) this.remove(client, old);
    const subscription = client.newSubscription(channel, options);
    this.watch(client, subscription);
    subscription.subscribe();
    return "";
  }

  clear(): void {
    this.rows.clear();
    byId("subscription-rows").replaceChildren();
    show(byId("subscriptions"), false);
  }

  private watch(client: Client, subscription: Subscription): void {
    const { channel } = subscription;
    const row = this.makeRow(client, subscription);
    subscription.on("state", ({ newState }) => {
      row.state.textContent = newState;
    });
    subscription.on("subscribed", (context) => {
      const { offset, epoch } = context.streamPosition ?? {};
      row.position.textContent = offset === undefined ? "not kept" : `${offset} of ${epoch}`;
      const recovery = context.wasRecovering ? (context.recovered ? ", recovered what was missed" : ", not recovered") : "";
      this.journal.event(`subscribed to ${channel}${recovery}`);
    });
    subscription.on("publication", ({ offset }) => {
      row.count += 1;
      row.heard.textContent = String(row.count);
      if (offset !== undefined) row.position.textContent = (row.position.textContent ?? "").replace(/^\d+/, String(offset));
    });
    subscription.on("unsubscribed", ({ code, reason }) => this.journal.event(`unsubscribed from ${channel}: ${reason} (${code})`, code > 1));
    subscription.on("error", ({ error }) => this.journal.event(`${channel}: ${error.message} (${error.code})`, true));
    subscription.on("join", ({ info }) => this.journal.event(`${info.user || info.client} joined ${channel}`));
    subscription.on("leave", ({ info }) => this.journal.event(`${info.user || info.client} left ${channel}`));
  }

  private makeRow(client: Client, subscription: Subscription): Row {
    const choose = button("Use", () => this.chosen(subscription.channel));
    const end = button("Unsubscribe", () => this.remove(client, subscription));
    const cells = {
      state: cell("State", subscription.state),
      position: cell("Position", "–", "code"),
      heard: cell("Heard", "0", "number"),
    };
    const element = make("tr", "", cell("Channel", subscription.channel, "code"), cells.state, cells.position, cells.heard, make("td", "action", choose, " ", end));
    byId("subscription-rows").append(element);
    show(byId("subscriptions"), true);
    const row = { element, ...cells, count: 0 };
    this.rows.set(subscription.channel, row);
    return row;
  }

  private remove(client: Client, subscription: Subscription): void {
    client.removeSubscription(subscription);
    this.rows.get(subscription.channel)?.element.remove();
    this.rows.delete(subscription.channel);
    show(byId("subscriptions"), this.rows.size > 0);
  }
}

function optionsOfForm(): SubscriptionOptions | string {
  const checked = (id: string): boolean => byId<HTMLInputElement>(id).checked;
  const filter = parseTagsFilter(byId<HTMLInputElement>("filter").value);
  if (typeof filter === "string") return filter;
  if (filter !== undefined && checked("delta")) return "A subscription has a filter or deltas, not both.";
  const options: SubscriptionOptions = { recoverable: checked("recover"), positioned: checked("recover"), joinLeave: checked("join-leave") };
  if (checked("delta")) options.delta = "fossil";
  if (filter !== undefined) options.tagsFilter = filter;
  const offset = byId<HTMLInputElement>("since-offset").value;
  if (offset !== "") options.since = { offset: Number(offset), epoch: byId<HTMLInputElement>("since-epoch").value.trim() };
  return options;
}

function cell(name: string, text: string, className = ""): HTMLElement {
  const element = make("td", className, text);
  element.dataset["name"] = name;
  return element;
}

function button(text: string, clicked: () => void): HTMLElement {
  const element = make("button", "small", text) as HTMLButtonElement;
  element.type = "button";
  element.addEventListener("click", clicked);
  return element;
}
