// SPDX-License-Identifier: Apache-2.0
// Small things that several views of the chat share: elements, faces, times. Text is only ever set as text.

export function byId<T extends Element = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`chat/index.html has no #${id}`);
  return element as unknown as T;
}

export function make<K extends keyof HTMLElementTagNameMap>(tag: K, className = "", ...content: (Node | string)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  element.append(...content);
  return element;
}

export function button(text: string, className: string, pressed: () => void): HTMLButtonElement {
  const made = make("button", className, text);
  made.type = "button";
  made.addEventListener("click", pressed);
  return made;
}

const hues = 8;
export function hueOf(user: string): number {
  let sum = 0;
  for (const character of user) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return sum % hues;
}

export function face(user: string, name: string): HTMLElement {
  const made = make("span", `face hue-${hueOf(user)}`, [...name][0]?.toUpperCase() ?? "?");
  made.ariaHidden = "true";
  return made;
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
export const clockText = (at: number): string => clock.format(at);
export const dayText = (at: number): string => day.format(at);
export const wholeText = (at: number): string => whole.format(at);
export const isSameDay = (a: number, b: number): boolean => new Date(a).toDateString() === new Date(b).toDateString();

// Text with its web addresses as links.
export function linked(text: string): (Node | string)[] {
  const parts: (Node | string)[] = [];
  let from = 0;
  for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]]/g)) {
    parts.push(text.slice(from, match.index));
    const link = make("a", "", match[0]);
    link.href = match[0];
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    parts.push(link);
    from = match.index + match[0].length;
  }
  parts.push(text.slice(from));
  return parts;
}

// Sets what differs: an element that is announced or has the focus is left alone otherwise.
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

// Brings the children of a list into this order, keeping those that stay.
export function reconcile(list: HTMLElement, wanted: readonly HTMLElement[]): void {
  const keep = new Set<Element>(wanted);
  for (const child of [...list.children]) if (!keep.has(child)) child.remove();
  wanted.forEach((element, index) => {
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
  });
}
