// SPDX-License-Identifier: Apache-2.0
// Reads an OpenAPI 3.1 description as far as the server writes one: methods with a request and a result, objects with
// fields, references. Whatever is missing is left out.
import { asList, asObject, asText } from "../json.ts";
import type { JsonObject } from "../json.ts";

export interface Field {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly text: string;
}
export interface Method {
  readonly name: string;
  readonly path: string;
  readonly summary: string;
  readonly request: readonly Field[];
  readonly result: readonly Field[];
}
export interface NamedObject {
  readonly name: string;
  readonly text: string;
  readonly fields: readonly Field[];
}
export interface Description {
  readonly title: string;
  readonly text: string;
  readonly keys: readonly string[];
  readonly methods: readonly Method[];
  readonly objects: readonly NamedObject[];
}

// Requests and results are shown with their method, and these two only repeat all of them.
const notObjects = /^(Request|Result)_|^(Command|Reply)$/;

export function readDescription(document: JsonObject): Description {
  const info = asObject(document["info"]) ?? {};
  const components = asObject(document["components"]) ?? {};
  const schemas = asObject(components["schemas"]) ?? {};
  return {
    title: asText(info["title"]),
    text: asText(info["description"]),
    keys: Object.values(asObject(components["securitySchemes"]) ?? {}).map(keyText),
    methods: Object.entries(asObject(document["paths"]) ?? {}).flatMap(([path, item]) => methodOf(path, asObject(item), schemas)),
    objects: Object.entries(schemas)
      .filter(([name]) => !notObjects.test(name))
      .map(([name, schema]) => ({ name, text: asText(asObject(schema)?.["description"]), fields: fieldsOf(asObject(schema), schemas) })),
  };
}

function methodOf(path: string, item: JsonObject | undefined, schemas: JsonObject): Method[] {
  const operation = asObject(item?.["post"]);
  if (operation === undefined) return [];
  const name = asText(operation["operationId"]) || path.slice(1);
  const fields = (prefix: string): readonly Field[] => fieldsOf(asObject(schemas[`${prefix}_${name}`]), schemas);
  return [{ name, path, summary: asText(operation["summary"]), request: fields("Request"), result: fields("Result") }];
}

function keyText(scheme: unknown): string {
  const { in: place, name, description } = asObject(scheme) ?? {};
  const where = place === "query" ? `?${asText(name)}=KEY` : `${asText(name)}: ${asText(description) || "KEY"}`;
  return where;
}

function fieldsOf(schema: JsonObject | undefined, schemas: JsonObject): readonly Field[] {
  const target = referenced(schema);
  const object = target === undefined ? schema : asObject(schemas[target]);
  const required = new Set(asList(object?.["required"]));
  return Object.entries(asObject(object?.["properties"]) ?? {}).map(([name, property]) => ({
    name,
    type: typeText(asObject(property) ?? {}),
    required: required.has(name),
    text: [asText(asObject(property)?.["description"]), boundsText(asObject(property) ?? {})].filter((part) => part !== "").join(" "),
  }));
}

const referenced = (schema: JsonObject | undefined): string | undefined => {
  const name = /^#\/components\/schemas\/(\w+)$/.exec(asText(schema?.["$ref"]))?.[1];
  return name;
};

export function typeText(schema: JsonObject): string {
  const target = referenced(schema);
  if (target !== undefined) return target;
  const type = asText(schema["type"]);
  if (type === "array") return `${typeText(asObject(schema["items"]) ?? {})}[]`;
  const values = asObject(schema["additionalProperties"]);
  if (type === "object" && values !== undefined) return `{ name: ${typeText(values)} }`;
  return type === "" ? "any" : type;
}

function boundsText(schema: JsonObject): string {
  const { minimum, maximum, maxItems } = schema;
  if (typeof minimum === "number" && typeof maximum === "number") return `${minimum} to ${maximum}.`;
  if (typeof maxItems === "number") return `At most ${maxItems}.`;
  return "";
}
