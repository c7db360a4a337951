// SPDX-License-Identifier: Apache-2.0
// Channels by pattern; of one of them presence, history page by page, and publishing into it.
import { byId, make, show } from "../dom.ts";
import { asList, asNumber, asObject, asText } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { action, headRow, row, timeOf } from "./rows.ts";
import type { Surroundings, View } from "./view.ts";

const pageSize = 20;
const channelsShown = 500;

const field = (id: string): string => byId<HTMLInputElement>(id).value.trim();
const note = (text: string): void => {
  byId("one-note").textContent = text;
};
let oldest: { channel: string; offset: number; epoch: string } | undefined;

export const channels: View = {
  open: (around) => {
    const { guard } = around;
    submits("channels-form", () => guard(() => list(around)));
    submits("one-form", () => guard(() => publish(around)));
    clicks("one-presence", () => guard(() => presence(around)));
    clicks("one-history", () => guard(() => history(around, false)));
    clicks("one-older", () => guard(() => history(around, true)));
  },
  show: (around) => list(around),
};

async function list(around: Surroundings): Promise<void> {
  const answer = await around.api.call("channels", { pattern: field("channels-pattern") });
  const found = Object.entries(asObject(answer["channels"]) ?? {}).sort(([a], [b]) => a.localeCompare(b));
  byId("channels-rows").replaceChildren(...found.slice(0, channelsShown).map(([name, facts]) => channelRow(name, asObject(facts) ?? {}, around)));
  const all = found.length > channelsShown ? `The first ${channelsShown} of ${found.length}.` : "";
  byId("channels-note").textContent = found.length === 0 ? "No channel that fits has a subscriber." : all;
}

function channelRow(name: string, facts: JsonObject, around: Surroundings): HTMLElement {
  const choose = action(name, "link", () => {
    byId<HTMLInputElement>("one-channel").value = name;
    around.guard(() => presence(around));
  });
  const who = action("Clients", "small", () => {
    byId<HTMLInputElement>("clients-channel").value = name;
    location.hash = "clients";
  });
  return row(
    { name: "Channel", content: choose },
    { name: "Clients", content: String(asNumber(facts["num_clients"])), className: "number" },
    { name: "", content: who, className: "action" },
  );
}

async function presence({ api }: Surroundings): Promise<void> {
  const channel = field("one-channel");
  const answer = await api.call("presence", { channel });
  const here = Object.values(asObject(answer["presence"]) ?? {}).map((one) => asObject(one) ?? {});
  fillTable(["User", "Client", "Information"], here.map((one) => row(
    { name: "User", content: asText(one["user"]) || "–" },
    { name: "Client", content: asText(one["client"]), className: "id" },
    { name: "Information", content: one["conn_info"] === undefined ? "" : JSON.stringify(one["conn_info"]), className: "code" },
  )));
  note(here.length === 0 ? `Nobody is in ${channel}.` : `${here.length} in ${channel}.`);
  show(byId("one-older"), false);
}

async function history({ api }: Surroundings, older: boolean): Promise<void> {
  const channel = older && oldest !== undefined ? oldest.channel : field("one-channel");
  const since = older && oldest !== undefined ? { since: { offset: oldest.offset, epoch: oldest.epoch } } : {};
  const answer = await api.call("history", { channel, limit: pageSize, reverse: true, ...since });
  const found = asList(answer["publications"]).map((one) => asObject(one) ?? {});
  const rows = found.map(publicationRow);
  if (older) byId("one-table").querySelector("tbody")?.append(...rows);
  else fillTable(["Offset", "Time", "User", "Data"], rows);
  const offset = asNumber(found.at(-1)?.["offset"]);
  oldest = found.length < pageSize ? undefined : { channel, offset, epoch: asText(answer["epoch"]) };
  show(byId("one-older"), oldest !== undefined);
  note(`The history of ${channel} ends at ${asNumber(answer["offset"])}; newest first.`);
}

function publicationRow(one: JsonObject): HTMLElement {
  const time = asNumber(one["time"]);
  return row(
    { name: "Offset", content: String(asNumber(one["offset"])), className: "number" },
    { name: "Time", content: time > 0 ? timeOf(time) : "" },
    { name: "User", content: asText(asObject(one["info"])?.["user"]) || "–" },
    { name: "Data", content: one["data"] === undefined ? `${asText(one["b64data"])} (base64)` : JSON.stringify(one["data"]), className: "code" },
  );
}

async function publish({ api }: Surroundings): Promise<void> {
  const channel = field("one-channel");
  let data: unknown;
  try {
    data = JSON.parse(byId<HTMLTextAreaElement>("one-data").value);
  } catch {
    return note("The data is no JSON.");
  }
  const answer = await api.call("publish", { channel, data });
  const offset = asNumber(answer["offset"]);
  note(offset > 0 ? `Published into ${channel} as ${offset}.` : `Published into ${channel}.`);
}

function fillTable(names: readonly string[], rows: readonly HTMLElement[]): void {
  const table = byId("one-table");
  table.replaceChildren(...(rows.length === 0 ? [] : [headRow(...names), make("tbody", "", ...rows)]));
}

function clicks(id: string, body: () => void): void {
  byId(id).addEventListener("click", body);
}

function submits(id: string, body: () => void): void {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    body();
  });
}
