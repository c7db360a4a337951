// SPDX-License-Identifier: Apache-2.0
// When to connect again after a close: full jitter, so that a thousand pages do not come back in the same instant.
// The close code decides: 1012 (restart) and 1013 (try again later) are requests of the server and are honoured; codes
// that say "this will fail again" end the attempts until somebody asks.

export interface CloseFacts {
  readonly code: number;
  readonly reason: string;
  readonly clean: boolean;
}

export type Plan = { readonly kind: "retry"; readonly delayMs: number } | { readonly kind: "stop" };

interface Window {
  readonly floorMs: number; // never sooner than this
  readonly firstMs: number; // the width of the first random window; it doubles with each failure
  readonly widestMs: number;
}

const restartWindow: Window = { floorMs: 1_000, firstMs: 4_000, widestMs: 30_000 };
const busyWindow: Window = { floorMs: 5_000, firstMs: 10_000, widestMs: 60_000 };
const usualWindow: Window = { floorMs: 250, firstMs: 1_000, widestMs: 30_000 };

// RFC 6455 7.4.1: protocol error, unsupported data, invalid payload, policy, too big, extension missing.
const hopeless: ReadonlySet<number> = new Set([1002, 1003, 1007, 1008, 1009, 1010]);

// `failures` counts the closes since the last connection that lasted; `random` is in [0, 1).
export function planReconnect(closed: CloseFacts, failures: number, random: number): Plan {
  if (hopeless.has(closed.code)) return { kind: "stop" };
  const window = windowFor(closed.code);
  const widthMs = Math.min(window.widestMs, window.firstMs * 2 ** Math.min(failures, 16));
  return { kind: "retry", delayMs: Math.round(window.floorMs + random * widthMs) };
}

function windowFor(code: number): Window {
  if (code === 1012) return restartWindow;
  if (code === 1013) return busyWindow;
  return usualWindow;
}

// A close in words, for people.
export function describeClose(closed: CloseFacts): string {
  switch (closed.code) {
    case 1000:
      return "The server ended the connection";
    case 1001:
      return "The server is going away";
    case 1006:
      return "The connection was lost";
    case 1008:
      return "The server refused the connection";
    case 1011:
      return "The server met an error";
    case 1012:
      return "The server is restarting";
    case 1013:
      return "The server is busy";
    default:
      return "The connection was closed";
  }
}
