// SPDX-License-Identifier: Apache-2.0
// Reads Protobuf messages of the client protocol for display: by the protocol's field numbers, into plain objects with
// the names that JSON has. Fields that it does not know are shown by their number; broken bytes end the reading.

// "name:number:type"; u unsigned, b bool, s string, y bytes (an application's payload), another name: that message,
// with a leading * repeated, % a map from names.
const shapes: Readonly<Record<string, string>> = {
  Command:
    "id:1:u connect:4:ConnectRequest subscribe:5:SubscribeRequest unsubscribe:6:ChannelRequest publish:7:PublishRequest presence:8:ChannelRequest presence_stats:9:ChannelRequest history:10:HistoryRequest ping:11:Empty send:12:Payload rpc:13:RpcRequest refresh:14:TokenRequest sub_refresh:15:SubRefreshRequest",
  ConnectRequest: "token:1:s data:2:y subs:3:%SubscribeRequest name:4:s version:5:s flag:7:u",
  SubscribeRequest:
    "channel:1:s token:2:s recover:3:b epoch:6:s offset:7:u data:8:y positioned:9:b recoverable:10:b join_leave:11:b delta:12:s tf:13:FilterNode flag:14:u type:15:u",
  FilterNode: "op:1:s key:2:s cmp:3:s val:4:s vals:5:*s nodes:6:*FilterNode",
  ChannelRequest: "channel:1:s",
  PublishRequest: "channel:1:s data:2:y type:3:u key:4:s",
  HistoryRequest: "channel:1:s limit:7:u since:8:Position reverse:9:b",
  Position: "offset:1:u epoch:2:s",
  RpcRequest: "data:1:y method:2:s",
  TokenRequest: "token:1:s",
  SubRefreshRequest: "channel:1:s token:2:s",
  Empty: "",
  Payload: "data:1:y",
  EmulationRequest: "node:1:s session:2:s data:3:y",
  Reply:
    "id:1:u error:2:Error push:4:Push connect:5:ConnectResult subscribe:6:SubscribeResult unsubscribe:7:Empty publish:8:Empty presence:9:PresenceResult presence_stats:10:PresenceStats history:11:HistoryResult ping:12:Empty rpc:13:Payload refresh:14:RefreshResult sub_refresh:15:Expiry",
  Error: "code:1:u message:2:s temporary:3:b",
  ConnectResult:
    "client:1:s version:2:s expires:3:b ttl:4:u data:5:y subs:6:%SubscribeResult ping:7:u pong:8:b session:9:s node:10:s time:11:u",
  SubscribeResult:
    "expires:1:b ttl:2:u recoverable:3:b epoch:6:s publications:7:*Publication recovered:8:b offset:9:u positioned:10:b data:11:y was_recovering:12:b delta:13:b id:14:u",
  PresenceResult: "presence:1:%ClientInfo",
  PresenceStats: "num_clients:1:u num_users:2:u",
  HistoryResult: "publications:1:*Publication epoch:2:s offset:3:u",
  RefreshResult: "client:1:s version:2:s expires:3:b ttl:4:u",
  Expiry: "expires:1:b ttl:2:u",
  Push:
    "id:1:u channel:2:s pub:4:Publication join:5:Presence leave:6:Presence unsubscribe:7:Unsubscribe message:8:Payload subscribe:9:Subscribe connect:10:ConnectResult disconnect:11:Disconnect refresh:12:Expiry",
  Publication: "data:4:y info:5:ClientInfo offset:6:u tags:7:%s delta:8:b time:9:u key:11:s version:16:u",
  ClientInfo: "user:1:s client:2:s conn_info:3:y chan_info:4:y",
  Presence: "info:1:ClientInfo",
  Unsubscribe: "code:2:u reason:3:s",
  Disconnect: "code:1:u reason:2:s reconnect:3:b",
  Subscribe: "recoverable:1:b epoch:4:s offset:5:u positioned:6:b data:7:y",
};
const deepest = 16;
const longestShown = 64; // bytes of a payload that is no text

interface Shape {
  readonly name: string;
  readonly type: string;
}
type Decoded = Record<string, unknown>;

const tables = new Map(Object.entries(shapes).map(([name, text]) => [name, tableOf(text)]));

function tableOf(text: string): ReadonlyMap<number, Shape> {
  const fields = text.split(" ").filter((field) => field !== "").map((field) => field.split(":"));
  return new Map(fields.map(([name = "", number = "", type = ""]) => [Number(number), { name, type }]));
}

class Cursor {
  private at = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  get done(): boolean {
    return this.at >= this.bytes.length;
  }
  // Beyond 2⁵³ it is not exact, which display bears.
  varint(): number {
    let value = 0;
    for (let factor = 1, count = 0; count < 10; factor *= 128, count += 1) {
      const byte = this.bytes[this.at];
      if (byte === undefined) throw new RangeError("the message is cut");
      this.at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number has no end");
  }
  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw new RangeError("the message is cut");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

// Messages of one frame: each with its length in front.
export function splitMessages(frame: Uint8Array): Uint8Array[] {
  const cursor = new Cursor(frame);
  const messages: Uint8Array[] = [];
  while (!cursor.done) messages.push(cursor.take(cursor.varint()));
  return messages;
}

export function decode(shape: string, bytes: Uint8Array, depth = 0): Decoded {
  if (depth > deepest) throw new RangeError("the message is too deep");
  const table = tables.get(shape);
  const cursor = new Cursor(bytes);
  const decoded: Decoded = {};
  while (!cursor.done) {
    const key = cursor.varint();
    const number = Math.floor(key / 8);
    const raw = rawValue(cursor, key % 8);
    const field = table?.get(number) ?? { name: `#${number}`, type: typeof raw === "number" ? "u" : "y" };
    add(decoded, field, raw, depth);
  }
  return decoded;
}

function rawValue(cursor: Cursor, wireType: number): number | Uint8Array {
  if (wireType === 0) return cursor.varint();
  if (wireType === 1) return cursor.take(8);
  if (wireType === 5) return cursor.take(4);
  if (wireType === 2) return cursor.take(cursor.varint());
  throw new RangeError(`there is no wire type ${wireType}`);
}

function add(to: Decoded, { name, type }: Shape, raw: number | Uint8Array, depth: number): void {
  if (type.startsWith("*")) {
    const list = (to[name] ??= []) as unknown[];
    list.push(valueOf(type.slice(1), raw, depth));
  } else if (type.startsWith("%")) {
    const [key, value] = entryOf(type.slice(1), raw, depth);
    to[name] = { ...(to[name] as Decoded | undefined), [key]: value };
  } else {
    to[name] = valueOf(type, raw, depth);
  }
}

function entryOf(type: string, raw: number | Uint8Array, depth: number): [string, unknown] {
  let key = "";
  let value: unknown = type === "s" ? "" : {};
  const cursor = new Cursor(raw instanceof Uint8Array ? raw : new Uint8Array());
  while (!cursor.done) {
    const tag = cursor.varint();
    const part = rawValue(cursor, tag % 8);
    if (Math.floor(tag / 8) === 1) key = String(valueOf("s", part, depth));
    else value = valueOf(type, part, depth);
  }
  return [key, value];
}

function valueOf(type: string, raw: number | Uint8Array, depth: number): unknown {
  if (typeof raw === "number") return type === "b" ? raw !== 0 : raw;
  if (type === "y") return payload(raw);
  if (type === "s" || !tables.has(type)) return new TextDecoder().decode(raw);
  return decode(type, raw, depth + 1);
}

// An application's bytes: the JSON that they are, the text, or the first of them in hexadecimal.
export function payload(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  } catch {
    return hex(bytes);
  }
}

export function hex(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, longestShown), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return bytes.length > longestShown ? `${shown} … (${bytes.length} bytes)` : shown;
}
