// SPDX-License-Identifier: Apache-2.0
// What /facts.json says about the server. A fact that is missing counts as "no": the pages then offer less.
import { parseJsonObject } from "./json.ts";

export interface ServerFacts {
  readonly version: string;
  readonly development: boolean;
  readonly admin: boolean;
  readonly adminPrefix: string;
  readonly api: boolean;
  readonly apiPrefix: string;
  readonly health: boolean;
  readonly httpStream: boolean;
  readonly sse: boolean;
}

export function parseFacts(text: string): ServerFacts | undefined {
  const object = parseJsonObject(text);
  if (object === undefined || typeof object["version"] !== "string") return undefined;
  const prefix = (name: string, otherwise: string): string => (typeof object[name] === "string" ? object[name].replace(/\/+$/, "") : otherwise);
  return {
    version: object["version"],
    development: object["development"] === true,
    admin: object["admin"] === true,
    adminPrefix: prefix("admin_prefix", "/admin"),
    api: object["api"] !== false,
    apiPrefix: prefix("api_prefix", "/api"),
    health: object["health"] === true,
    httpStream: object["http_stream"] === true,
    sse: object["sse"] === true,
  };
}

// Undefined when the server does not answer, or is none of ours.
export async function fetchFacts(): Promise<ServerFacts | undefined> {
  try {
    const answer = await fetch("/facts.json", { cache: "no-store" });
    return answer.ok ? parseFacts(await answer.text()) : undefined;
  } catch {
    return undefined;
  }
}
