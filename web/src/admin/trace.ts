// SPDX-License-Identifier: Apache-2.0
// Why did a client not get a message: one sentence, and the records that it rests on.
import { byId, make, show } from "../dom.ts";
import { asList, asNumber, asObject, asText } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { row, timeOf } from "./rows.ts";
import type { Surroundings, View } from "./view.ts";

const recordsShown = 100;
const field = (id: string): string => byId<HTMLInputElement>(id).value.trim();

export const trace: View = {
  open: (around) => {
    byId("trace-form").addEventListener("submit", (event) => {
      event.preventDefault();
      around.guard(() => ask(around));
    });
  },
  show: async (around) => {
    if (field("trace-client") !== "" || field("trace-channel") !== "") await ask(around);
  },
};

async function ask({ api }: Surroundings): Promise<void> {
  const answer = await api.call("trace", {
    client: field("trace-client"),
    user: field("trace-user"),
    channel: field("trace-channel"),
    offset: Number(field("trace-offset")) || 0,
    limit: recordsShown,
  });
  const parts: (string | Node)[] = [asText(answer["sentence"]), make("span", "tag", asText(answer["verdict"]).replaceAll("_", " "))];
  const client = asText(answer["client"]);
  if (client !== "") parts.push(make("code", "", client));
  byId("trace-sentence").replaceChildren(...parts);
  const records = asList(answer["records"]).map((one) => asObject(one) ?? {});
  byId("trace-rows").replaceChildren(...records.map(recordRow));
  show(byId("trace-table"), records.length > 0);
}

function recordRow(one: JsonObject): HTMLElement {
  const offset = asNumber(one["offset"]);
  const code = asNumber(one["code"]);
  const detail = [code > 0 ? String(code) : "", asText(one["detail"])].filter((part) => part !== "").join(" ");
  return row(
    { name: "Time", content: timeOf(asNumber(one["time"])) },
    { name: "What", content: asText(one["kind"]) },
    { name: "Client", content: asText(one["client"]), className: "id" },
    { name: "User", content: asText(one["user"]) },
    { name: "Channel", content: asText(one["channel"]), className: "code" },
    { name: "Offset", content: offset > 0 ? String(offset) : "", className: "number" },
    { name: "Detail", content: detail },
  );
}
