// SPDX-License-Identifier: Apache-2.0
// Pictures: what was pasted becomes small enough in a canvas, and what was received becomes an address that the page
// may show. Drawing it anew also leaves behind where and with what it was taken.
import type { Upload } from "./queue.ts";
import { imageTypes } from "./messages.ts";

const longestSides = [1_600, 1_280, 1_024, 800, 640, 480, 360, 256, 160];
const qualities = [0.86, 0.74, 0.6];

export const base64Length = (bytes: number): number => Math.ceil(bytes / 3) * 4;

// The size within a square, with the same shape.
export function fitted(width: number, height: number, longest: number): { width: number; height: number } {
  const scale = Math.min(1, longest / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

// The largest and best that has at most so many bytes.
export async function shrunk(file: Blob, largestBytes: number): Promise<Upload> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error("The browser cannot read this picture.");
  });
  try {
    for (const longest of longestSides) {
      const size = fitted(bitmap.width, bitmap.height, longest);
      for (const quality of qualities) {
        const blob = await drawn(bitmap, size, quality);
        if (blob.size <= largestBytes) return { ...size, type: blob.type, data: await toBase64(blob) };
      }
    }
  } finally {
    bitmap.close();
  }
  throw new Error("This picture cannot be made small enough.");
}

async function drawn(bitmap: ImageBitmap, { width, height }: { width: number; height: number }, quality: number): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("The browser has no canvas.");
  context.fillStyle = "#ffffff"; // JPEG knows no transparency
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
  if (!blob) throw new Error("The browser cannot write this picture.");
  return blob;
}

async function toBase64(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  const step = 0x8000;
  for (let at = 0; at < bytes.length; at += step) text += String.fromCharCode(...bytes.subarray(at, at + step));
  return btoa(text);
}

export function toBlob(data: string, type: string): Blob {
  if (!imageTypes.includes(type)) throw new Error("not a picture");
  return new Blob([Uint8Array.from(atob(data), (character) => character.charCodeAt(0))], { type });
}
