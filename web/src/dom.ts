// SPDX-License-Identifier: Apache-2.0
// The two ways in which the page touches the document: elements that index.html promises, and new elements with text.
// Text is only ever set through textContent.

export function byId<T extends Element = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`index.html has no #${id}`);
  return element as unknown as T;
}

export function make(tag: string, className: string, ...content: (Node | string)[]): HTMLElement {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  element.append(...content); // strings become text nodes, never markup
  return element;
}

export function makeSvg(tag: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

export function show(element: HTMLElement, shown: boolean): void {
  element.hidden = !shown;
}
