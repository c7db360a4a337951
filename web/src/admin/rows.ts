// SPDX-License-Identifier: Apache-2.0
// Table rows from what the server tells. Each cell carries the name of its column, which is shown beside it on a phone.
import { make } from "../dom.ts";
import { formatDate, formatTime } from "../format.ts";

export interface Cell {
  readonly name: string;
  readonly content: Node | string;
  readonly className?: string;
}

export function row(...cells: readonly Cell[]): HTMLElement {
  return make("tr", "", ...cells.map(({ name, content, className = "" }) => {
    const cell = make("td", className, ...(content === "" ? [] : [content]));
    if (name !== "") cell.dataset["name"] = name;
    return cell;
  }));
}

const ofNumbers: ReadonlySet<string> = new Set(["Offset"]);

export function headRow(...names: readonly string[]): HTMLElement {
  return make("thead", "", make("tr", "", ...names.map((name) => {
    const cell = make("th", ofNumbers.has(name) ? "number" : "", name);
    cell.setAttribute("scope", "col");
    return cell;
  })));
}

export function timeOf(atMs: number): HTMLElement {
  const today = formatDate(atMs) === formatDate(Date.now());
  const element = make("time", "", today ? formatTime(atMs) : `${formatDate(atMs)} ${formatTime(atMs)}`);
  element.setAttribute("datetime", new Date(atMs).toISOString());
  return element;
}

export function action(text: string, className: string, clicked: () => void): HTMLElement {
  const element = make("button", className, text) as HTMLButtonElement;
  element.type = "button";
  element.addEventListener("click", clicked);
  return element;
}

export const chips = (names: readonly string[]): HTMLElement => make("span", "chips", ...names.map((name) => make("span", "chip", name)));
