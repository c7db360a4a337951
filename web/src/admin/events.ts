// SPDX-License-Identifier: Apache-2.0
// The stream of lifecycle events as a backend reads it, newest first. Looking acknowledges nothing.
import { byId } from "../dom.ts";
import { asList, asNumber, asObject, asText } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { row, timeOf } from "./rows.ts";
import type { Surroundings, View } from "./view.ts";

const rowsKept = 300;
const pageSize = 200;
let known = 0;

export const events: View = {
  everyMs: 2_000,
  show: async (around) => {
    if (known > 0 && !byId<HTMLInputElement>("events-follow").checked) return;
    await read(around);
  },
};

async function read({ api }: Surroundings): Promise<void> {
  if (known === 0) known = await beginning(api);
  const answer = await api.call("events", { after: known, limit: pageSize });
  const found = asList(answer["events"]).map((one) => asObject(one) ?? {});
  const list = byId("events-rows");
  for (const one of found) list.prepend(eventRow(one));
  while (list.childElementCount > rowsKept) list.lastElementChild?.remove();
  known = Math.max(known, asNumber(found.at(-1)?.["sequence"]));
  const { newest, acknowledged, lost_before: lost } = answer;
  const dropped = asNumber(lost) > 0 ? ` Those before ${asNumber(lost)} were dropped unacknowledged.` : "";
  byId("events-note").textContent = `Newest ${asNumber(newest)}, acknowledged up to ${asNumber(acknowledged)}.${dropped}`;
}

// Of a long stream only the end is read.
async function beginning(api: Surroundings["api"]): Promise<number> {
  const newest = asNumber((await api.call("events", { after: 0, limit: 1 }))["newest"]);
  return Math.max(newest - pageSize, 0);
}

function eventRow(one: JsonObject): HTMLElement {
  const code = asNumber(one["code"]);
  return row(
    { name: "Number", content: String(asNumber(one["sequence"])), className: "number" },
    { name: "Time", content: timeOf(asNumber(one["time"])) },
    { name: "What", content: asText(one["kind"]).replaceAll("_", " ") },
    { name: "User", content: asText(one["user"]) },
    { name: "Client", content: asText(one["client"]), className: "id" },
    { name: "Channel", content: asText(one["channel"]), className: "code" },
    { name: "Reason", content: [code > 0 ? String(code) : "", asText(one["reason"])].filter((part) => part !== "").join(" ") },
  );
}
