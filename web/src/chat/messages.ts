// SPDX-License-Identifier: Apache-2.0
// What is published into a conversation (examples/chat/README.md describes it), and reading it: others may publish
// anything, so whatever does not fit is nothing.

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly type: string;
  readonly id?: string; // kept by the backend
  readonly data?: string; // or here, in base64
}
export interface Said {
  readonly t: "say";
  readonly id: string; // client-made: the same when it is sent again
  readonly at: number; // the author's clock, for display; the order is the stream's
  readonly text: string;
  readonly image?: Picture;
}
export interface Edited {
  readonly t: "edit";
  readonly id: string;
  readonly at: number;
  readonly of: string; // the id of the author's own message
  readonly text: string;
}
export interface Deleted {
  readonly t: "delete";
  readonly id: string;
  readonly at: number;
  readonly of: string;
}
// By the backend alone: a publication without a publisher.
export interface SystemLine {
  readonly t: "system";
  readonly id: string;
  readonly at: number;
  readonly text: string;
}
export type Body = Said | Edited | Deleted;

export const longestText = 4_000;
export const largestInlineImage = 40 * 1_024; // base64 characters; a frame of the server takes 64 KiB
export const imageTypes: readonly string[] = ["image/jpeg", "image/png", "image/webp"];
const longestSide = 4_096;

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const isId = (value: unknown): value is string => typeof value === "string" && /^[A-Za-z0-9-]{1,64}$/.test(value);
const isSide = (value: unknown): value is number => Number.isInteger(value) && Number(value) > 0 && Number(value) <= longestSide;
const textOf = (value: unknown): string | null => (typeof value === "string" && value.length <= longestText ? value : null);
const timeOf = (value: unknown): number => (typeof value === "number" && Number.isFinite(value) && value > 0 && value < 8.64e15 ? value : 0);

function readPicture(value: unknown): Picture | undefined {
  if (!isFields(value)) return undefined;
  const { width, height, type, id, data } = value;
  if (!isSide(width) || !isSide(height) || typeof type !== "string" || !imageTypes.includes(type)) return undefined;
  if (isId(id)) return { width, height, type, id };
  if (typeof data !== "string" || data.length > largestInlineImage || !/^[A-Za-z0-9+/]+={0,2}$/.test(data)) return undefined;
  return { width, height, type, data };
}

export function readBody(data: unknown): Body | SystemLine | null {
  if (!isFields(data) || !isId(data["id"])) return null;
  const id = data["id"];
  const at = timeOf(data["at"]);
  const text = textOf(data["text"]);
  const of = data["of"];
  switch (data["t"]) {
    case "say": {
      const image = readPicture(data["image"]);
      if (text === null || (text === "" && !image)) return null;
      return image ? { t: "say", id, at, text, image } : { t: "say", id, at, text };
    }
    case "edit":
      return isId(of) && text !== null && text !== "" ? { t: "edit", id, at, of, text } : null;
    case "delete":
      return isId(of) ? { t: "delete", id, at, of } : null;
    case "system":
      return text !== null && text !== "" ? { t: "system", id, at, text } : null;
    default:
      return null;
  }
}
