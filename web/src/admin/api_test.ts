// SPDX-License-Identifier: Apache-2.0
// The token goes with whatever changes something; refusals become sentences.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AdminApi, AdminFault } from "./api.ts";

interface Seen {
  readonly path: string;
  readonly method: string;
  readonly csrf: string | null;
  readonly body: string;
}

function server(...answers: [number, string][]): { seen: Seen[]; api: AdminApi } {
  const seen: Seen[] = [];
  const api = new AdminApi("/ops", async (path, options) => {
    const [status, body] = answers[seen.length] ?? [500, ""];
    seen.push({ path, method: options.method ?? "", csrf: new Headers(options.headers).get("X-Fairlead-CSRF"), body: String(options.body ?? "") });
    return new Response(body === "" ? null : body, { status });
  });
  return { seen, api };
}

async function faultOf(promise: Promise<unknown>): Promise<AdminFault | undefined> {
  return promise.then(() => undefined, (error: unknown) => (error instanceof AdminFault ? error : undefined));
}

test("the sign-in's token goes with each call", async () => {
  const { seen, api } = server([200, '{"csrf":"abc"}'], [200, '{"result":{"channels":{}}}']);
  await api.signIn("secret");
  assert.deepEqual(await api.call("channels", { pattern: "*" }), { channels: {} });
  assert.deepEqual(seen[1], { path: "/ops/api/call/channels", method: "POST", csrf: "abc", body: '{"pattern":"*"}' });
});

test("a session that is open is taken up, and none is no fault", async () => {
  const open = server([200, '{"csrf":"abc"}'], [204, ""]);
  assert.equal(await open.api.resume(), true);
  await open.api.signOut();
  assert.deepEqual([open.seen[0]?.method, open.seen[1]?.csrf], ["GET", "abc"]);
  assert.equal(await server([401, '{"error":"nobody is signed in"}']).api.resume(), false);
});

test("refusals are sentences", async () => {
  const { api } = server([429, '{"error":"too many attempts: wait a minute"}'], [200, '{"error":{"code":102,"message":"unknown channel"}}'], [502, "<html>"]);
  assert.equal((await faultOf(api.signIn("x")))?.message, "too many attempts: wait a minute");
  assert.equal((await faultOf(api.call("presence", {})))?.message, "unknown channel (102)");
  assert.equal((await faultOf(api.get("overview")))?.message, "The server answered with status 502.");
});
