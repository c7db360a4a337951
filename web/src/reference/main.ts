// SPDX-License-Identifier: Apache-2.0
// The API's page: fetches the description that the server publishes and draws each method with its fields.
import { byId, make, show } from "../dom.ts";
import { fetchFacts } from "../facts.ts";
import { parseJsonObject } from "../json.ts";
import { setLamp, showLinks } from "../lamp.ts";
import { readDescription } from "./description.ts";
import type { Description, Field, Method, NamedObject } from "./description.ts";

let objectNames: ReadonlySet<string> = new Set();

async function open(): Promise<void> {
  const facts = await fetchFacts();
  showLinks(facts);
  const prefix = facts?.apiPrefix ?? "/api";
  const text = await fetch(`${prefix}/openapi.json`).then((answer) => (answer.ok ? answer.text() : ""), () => "");
  const document = parseJsonObject(text);
  if (document === undefined) {
    setLamp("stopped", "No answer");
    byId("fault").textContent = `${prefix}/openapi.json did not answer: the API may be switched off.`;
    return;
  }
  setLamp("open", facts === undefined ? "" : `fairlead ${facts.version}`);
  draw(readDescription(document), prefix);
}

function draw(description: Description, prefix: string): void {
  objectNames = new Set(description.objects.map((object) => object.name));
  byId("title").textContent = description.title;
  byId("description").textContent = description.text;
  const [first, ...others] = description.keys;
  byId("how").replaceChildren(
    fact("Call", `POST https://${location.host}${prefix}/METHOD`),
    fact("Key", first ?? ""),
    fact("or", others.join("  or  ")),
    fact("Description", link(`${prefix}/openapi.json`, `${prefix}/openapi.json`)),
  );
  byId("contents").replaceChildren(...description.methods.map((method) => link(`#${method.name}`, method.name)));
  byId("list").replaceChildren(...description.methods.map((method) => methodSection(method, prefix)));
  byId("schemas").replaceChildren(...description.objects.map(objectSection));
  show(byId("schemas-title"), description.objects.length > 0);
  if (location.hash !== "") document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function methodSection(method: Method, prefix: string): HTMLElement {
  const section = titled("section", method.name, method.name);
  section.append(make("p", "", method.summary), make("p", "code quiet", `POST ${prefix}${method.path}`));
  section.append(...fieldTable("Request", method.request), ...fieldTable("Result", method.result));
  return section;
}

function objectSection(object: NamedObject): HTMLElement {
  const section = titled("section", `object-${object.name}`, object.name);
  if (object.text !== "") section.append(make("p", "", object.text));
  section.append(...fieldTable("Fields", object.fields));
  return section;
}

function titled(tag: string, id: string, title: string): HTMLElement {
  const section = make(tag, "panel method");
  section.id = id;
  section.append(make("h3", "code", title));
  return section;
}

function fieldTable(title: string, fields: readonly Field[]): HTMLElement[] {
  if (fields.length === 0) return [make("p", "nothing", `${title}: an empty object.`)];
  const table = make("table", "cards");
  const head = make("tr", "", ...[title, "Type", "Meaning"].map((name) => make("th", "", name)));
  table.append(make("thead", "", head), make("tbody", "", ...fields.map(fieldRow)));
  return [make("div", "table-frame", table)];
}

function fieldRow(field: Field): HTMLElement {
  const name = make("td", "code name", field.name, ...(field.required ? [make("span", "tag", "required")] : []));
  const type = make("td", "code type", typeNode(field.type));
  const text = make("td", "", field.text);
  name.dataset["name"] = "Field";
  type.dataset["name"] = "Type";
  text.dataset["name"] = "Meaning";
  return make("tr", "", name, type, text);
}

function typeNode(type: string): Node | string {
  const name = type.replace(/\[\]$/, "");
  return objectNames.has(name) ? link(`#object-${name}`, type) : type;
}

const fact = (name: string, value: Node | string): HTMLElement => make("div", "", make("dt", "", name), make("dd", "", value));

function link(target: string, text: string): HTMLElement {
  const anchor = make("a", "", text) as HTMLAnchorElement;
  anchor.href = target;
  return anchor;
}

void open();
