// SPDX-License-Identifier: Apache-2.0
// One WebSocket that comes back. It reports its phase after every change and decides by the close code (backoff.ts)
// whether and when to connect again. Socket, clock and chance are injected, so the tests need no network and no time.
import { planReconnect } from "./backoff.ts";
import type { CloseFacts } from "./backoff.ts";

export type Phase =
  | { readonly kind: "connecting"; readonly after: CloseFacts | undefined }
  | { readonly kind: "open" }
  | { readonly kind: "waiting"; readonly after: CloseFacts; readonly untilMs: number }
  | { readonly kind: "stopped"; readonly after: CloseFacts };

export interface Socket {
  readonly protocol: string;
  readonly extensions: string;
  readonly readyState: number;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string; wasClean: boolean }) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export interface World {
  connect(url: string, protocol: string): Socket;
  now(): number;
  random(): number;
  later(action: () => void, delayMs: number): () => void; // returns the cancellation
}

export interface Listener {
  phase(phase: Phase): void;
  open(protocol: string, extensions: string): void;
  text(text: string): void;
}

const openState = 1;
const lastingMs = 5_000; // a connection that lived this long was a success: failures are counted anew
const connectLimitMs = 15_000; // an attempt that is neither open nor refused by then has failed

export class Connection {
  private socket: Socket | undefined;
  private failures = 0;
  private openedMs: number | undefined;
  private cancelTimer = () => {};
  private readonly url: string;
  private readonly protocol: string;
  private readonly listener: Listener;
  private readonly world: World;

  constructor(url: string, protocol: string, listener: Listener, world: World) {
    this.url = url;
    this.protocol = protocol;
    this.listener = listener;
    this.world = world;
  }

  start(after?: CloseFacts): void {
    this.cancelTimer();
    this.listener.phase({ kind: "connecting", after });
    this.openedMs = undefined;
    const socket = this.world.connect(this.url, this.protocol);
    this.socket = socket;
    this.cancelTimer = this.world.later(() => this.drop("no answer"), connectLimitMs);
    socket.onopen = () => this.opened(socket);
    socket.onmessage = (event) => {
      if (typeof event.data === "string") this.listener.text(event.data);
    };
    socket.onclose = (event) => this.closed({ code: event.code, reason: event.reason, clean: event.wasClean });
  }

  // False when there is no open connection: nothing is queued for later.
  send(text: string): boolean {
    if (this.socket?.readyState !== openState) return false;
    this.socket.send(text);
    return true;
  }

  // Somebody does not want to wait. Ignored while a connection exists or is being made.
  retryNow(): void {
    if (this.socket === undefined) this.start();
  }

  // The peer is silent: the browser's own close handshake would wait long, so the socket is let go at once.
  drop(reason: string): void {
    const socket = this.socket;
    if (socket === undefined) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.closed({ code: 1006, reason, clean: false });
  }

  private opened(socket: Socket): void {
    this.cancelTimer();
    this.openedMs = this.world.now();
    this.listener.phase({ kind: "open" });
    this.listener.open(socket.protocol, socket.extensions);
  }

  private closed(after: CloseFacts): void {
    this.cancelTimer();
    this.socket = undefined;
    if (this.openedMs !== undefined && this.world.now() - this.openedMs >= lastingMs) this.failures = 0;
    const plan = planReconnect(after, this.failures, this.world.random());
    this.failures += 1;
    if (plan.kind === "stop") {
      this.listener.phase({ kind: "stopped", after });
      return;
    }
    this.listener.phase({ kind: "waiting", after, untilMs: this.world.now() + plan.delayMs });
    this.cancelTimer = this.world.later(() => this.start(after), plan.delayMs);
  }
}

// The browser's own socket, clock and chance.
export const browserWorld: World = {
  // A WebSocket is a Socket whose handlers are given more than ours ask for; the type system cannot see that.
  connect: (url, protocol) => new WebSocket(url, protocol) as unknown as Socket,
  now: () => performance.now(),
  random: () => Math.random(),
  later: (action, delayMs) => {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};
