// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them: bytes, counts, rates, durations, times of day.

const units = ["B", "kB", "MB", "GB", "TB"];

export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 ? value : short(value)} ${units[unit]}`;
}

// At most three significant digits.
export function short(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}

export const formatCount = (count: number): string => Math.round(count).toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");

export function formatDuration(seconds: number): string {
  const parts: [number, string][] = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]];
  const first = parts.findIndex(([size]) => seconds >= size);
  if (first < 0) return "0 s";
  let rest = Math.floor(seconds);
  const told: string[] = [];
  for (const [size, name] of parts.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) told.push(`${count} ${name}`);
  }
  return told.join(" ");
}

const two = (value: number): string => String(value).padStart(2, "0");

export function formatTime(atMs: number, withMs = false): string {
  const at = new Date(atMs);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return withMs ? `${time}.${String(at.getMilliseconds()).padStart(3, "0")}` : time;
}

export function formatDate(atMs: number): string {
  const at = new Date(atMs);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
