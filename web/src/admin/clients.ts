// SPDX-License-Identifier: Apache-2.0
// Who is connected: searched by user, client or channel; each can be sent away, and asked about in the trace.
import { byId } from "../dom.ts";
import { asList, asNumber, asObject, asText } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { action, chips, row, timeOf } from "./rows.ts";
import type { View } from "./view.ts";

const shownAtMost = 200;

export const clients: View = {
  open: ({ api, guard }) => {
    byId("clients-form").addEventListener("submit", (event) => {
      event.preventDefault();
      guard(() => list(api, guard));
    });
  },
  show: ({ api, guard }) => list(api, guard),
};

const field = (id: string): string => byId<HTMLInputElement>(id).value.trim();

type Api = Parameters<View["show"]>[0]["api"];
type Guard = Parameters<View["show"]>[0]["guard"];

async function list(api: Api, guard: Guard): Promise<void> {
  const wanted = { user: field("clients-user"), client: field("clients-client"), channel: field("clients-channel") };
  const answer = await api.call("connections", { ...wanted, limit: shownAtMost });
  const found = asList(answer["connections"]).map((one) => asObject(one) ?? {});
  byId("clients-rows").replaceChildren(...found.map((one) => clientRow(one, api, guard)));
  byId("clients-note").textContent = noteOf(found.length, answer["more"] === true);
}

function noteOf(count: number, more: boolean): string {
  if (count === 0) return "Nobody who fits is connected.";
  return more ? `The first ${count}; search to see others.` : `${count} connected.`;
}

function clientRow(one: JsonObject, api: Api, guard: Guard): HTMLElement {
  const client = asText(one["client"]);
  const disconnect = action("Disconnect", "small danger", () => guard(async () => {
    await api.call("disconnect", { user: asText(one["user"]), client });
    await list(api, guard);
  }));
  disconnect.setAttribute("aria-label", `Disconnect ${client}`);
  const trace = action("Trace", "small", () => {
    byId<HTMLInputElement>("trace-client").value = client;
    location.hash = "trace";
  });
  const actions = document.createElement("span");
  actions.append(trace, " ", disconnect);
  return row(
    { name: "User", content: asText(one["user"]) || "–" },
    { name: "Client", content: client, className: "id" },
    { name: "Transport", content: `${asText(one["transport"])}, ${asText(one["protocol"])}` },
    { name: "From", content: asText(one["peer"]), className: "code" },
    { name: "Since", content: timeOf(asNumber(one["connected_at"])) },
    { name: "Channels", content: chips(asList(one["channels"]).map(asText)) },
    { name: "", content: actions, className: "action" },
  );
}
