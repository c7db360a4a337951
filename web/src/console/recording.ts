// SPDX-License-Identifier: Apache-2.0
// Stands between the SDK and the browser and tells of each frame that passes: a WebSocket, an EventSource and a fetch
// that do what the browser's own do.
import { StreamCutter, emulatedCommands } from "./frames.ts";
import type { Direction, FrameData } from "./frames.ts";

export type Recorder = (direction: Direction, data: FrameData) => void;

const asFrame = (data: unknown): FrameData | undefined => {
  if (typeof data === "string") return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return data instanceof Uint8Array ? data.slice() : undefined;
};

function tell(record: Recorder, direction: Direction, data: unknown): void {
  const frame = asFrame(data);
  if (frame !== undefined) record(direction, frame);
}

export function recordingWebSocket(record: Recorder): typeof WebSocket {
  return class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener("message", ({ data }) => tell(record, "in", data));
    }
    override send(data: Parameters<WebSocket["send"]>[0]): void {
      tell(record, "out", data);
      super.send(data);
    }
  };
}

// The commands of the beginning travel in its address.
export function recordingEventSource(record: Recorder): typeof EventSource {
  return class extends EventSource {
    constructor(url: string | URL, options?: EventSourceInit) {
      super(url, options);
      tell(record, "out", new URL(url, location.href).searchParams.get("cf_connect"));
      this.addEventListener("message", ({ data }) => tell(record, "in", data));
    }
  };
}

export function recordingFetch(record: Recorder): typeof fetch {
  return async (input, init) => {
    const frame = asFrame(init?.body);
    const commands = frame === undefined ? undefined : emulatedCommands(frame);
    tell(record, "out", commands ?? frame);
    const response = await fetch(input, init);
    if (commands !== undefined || response.body === null || !response.ok) return response;
    const binary = new Headers(init?.headers).get("Content-Type") === "application/octet-stream";
    return new Response(response.body.pipeThrough(recordingStream(record, binary)), response);
  };
}

function recordingStream(record: Recorder, binary: boolean): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  const cutter = new StreamCutter(binary);
  return new TransformStream({
    transform(chunk, controller) {
      for (const frame of cutter.push(chunk)) record("in", frame);
      controller.enqueue(chunk);
    },
  });
}
