// SPDX-License-Identifier: Apache-2.0
// A tags filter as a person types it: `ticker = BTC & price > 50000`, `lang in de,fr | !urgent`. `&` binds stronger
// than `|`; `tag` alone asks that it is there, `!tag` that it is not.
import type { FilterComparisonOperator, FilterNode } from "centrifuge";

const operators: Readonly<Record<string, FilterComparisonOperator>> = {
  "=": "eq", "!=": "neq", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte", in: "in", "not in": "nin", starts: "sw", ends: "ew", contains: "ct",
};
const comparison = /^([\w.:-]+)\s*(!=|<=|>=|=|<|>|\s(?:not in|in|starts|ends|contains)\s)\s*(.+)$/;
const presence = /^(!?)\s*([\w.:-]+)$/;

// Undefined for an empty text; a sentence for one that is none.
export function parseTagsFilter(text: string): FilterNode | undefined | string {
  if (text.trim() === "") return undefined;
  const alternatives = text.split("|").map((part) => joined("and", part.split("&").map(leaf)));
  return joined("or", alternatives);
}

function joined(op: "and" | "or", nodes: readonly (FilterNode | string)[]): FilterNode | string {
  const wrong = nodes.find((node) => typeof node === "string");
  if (wrong !== undefined) return wrong;
  const good = nodes as readonly FilterNode[];
  return good.length === 1 && good[0] !== undefined ? good[0] : { op, nodes: [...good] };
}

function leaf(text: string): FilterNode | string {
  const [, key = "", sign = "", value = ""] = comparison.exec(text.trim()) ?? [];
  const cmp = operators[sign.trim()];
  if (cmp !== undefined) return leafOf(key, cmp, value.trim());
  const [matched, not, tag = ""] = presence.exec(text.trim()) ?? [];
  if (matched !== undefined) return { key: tag, cmp: not === "!" ? "nex" : "ex" };
  return `“${text.trim()}” is no comparison: try ticker = BTC, price > 50000, lang in de,fr, urgent or !urgent`;
}

function leafOf(key: string, cmp: FilterComparisonOperator, value: string): FilterNode {
  if (cmp !== "in" && cmp !== "nin") return { key, cmp, val: value };
  return { key, cmp, vals: value.split(",").map((one) => one.trim()).filter((one) => one !== "") };
}
