// SPDX-License-Identifier: Apache-2.0
// JSON from elsewhere: an object or nothing, and members of the type that is wanted or nothing.
export type JsonObject = Readonly<Record<string, unknown>>;

export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

export const asText = (value: unknown): string => (typeof value === "string" ? value : "");
export const asNumber = (value: unknown): number => (typeof value === "number" ? value : 0);
export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
