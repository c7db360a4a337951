// SPDX-License-Identifier: Apache-2.0
// What was configured: the certificates with the days that are left, and every limit.
import { byId, make } from "../dom.ts";
import { formatDate } from "../format.ts";
import { asList, asNumber, asObject, asText } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { daysClass } from "./overview.ts";
import { chips, row } from "./rows.ts";
import type { View } from "./view.ts";

export const certificates: View = {
  show: async ({ api }) => {
    const answer = await api.get("certificates");
    const found = asList(answer["certificates"]).map((one) => asObject(one) ?? {});
    byId("certificates-rows").replaceChildren(...found.map(certificateRow));
    byId("certificates-note").textContent = found.length === 0 ? "No certificate could be read." : "";
  },
};

function certificateRow(one: JsonObject): HTMLElement {
  const days = asNumber(one["days_left"]);
  return row(
    { name: "Days left", content: String(days), className: `number ${daysClass(days)}` },
    { name: "Until", content: make("time", "", formatDate(asNumber(one["not_after"]) * 1_000)) },
    { name: "Subject", content: asText(one["subject"]) },
    { name: "Names", content: chips(asList(one["names"]).map(asText)) },
    { name: "Issuer", content: asText(one["issuer"]) },
    { name: "File", content: asText(one["file"]), className: "code" },
  );
}

export const limits: View = {
  open: () => byId("limits-filter").addEventListener("input", sift),
  show: async ({ api }) => {
    const found = asList((await api.get("limits"))["limits"]).map((one) => asObject(one) ?? {});
    byId("limits-rows").replaceChildren(...found.map((one) => row(
      { name: "Key", content: asText(one["name"]), className: "code" },
      { name: "Value", content: asText(one["value"]), className: "number" },
    )));
    sift();
  },
};

function sift(): void {
  const wanted = byId<HTMLInputElement>("limits-filter").value.trim().toLowerCase();
  for (const one of byId("limits-rows").children) (one as HTMLElement).hidden = !(one.textContent ?? "").toLowerCase().includes(wanted);
}
