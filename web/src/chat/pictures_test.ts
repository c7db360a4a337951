// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Account, Facts } from "./account.ts";
import { PictureRefused, Pictures } from "./pictures.ts";

const facts: Facts = { version: "1", development: true, http_stream: false, sse: false, attachments: { prefix: "/attachments", max_size: 1_000 } };
const account = (renewable: boolean): Account => {
  let made = 0;
  return { user: "ada", name: "Ada", renewable, token: async () => `t${++made}` };
};

// Answers in turn, and tells what was asked.
function serving(...answers: Response[]): string[] {
  const asked: string[] = [];
  globalThis.fetch = (async (path: string, { method = "GET", headers }: RequestInit) => {
    asked.push(`${method} ${path} ${(headers as Record<string, string>)["Authorization"] ?? ""}`);
    return answers.shift() ?? new Response("", { status: 500 });
  }) as typeof fetch;
  return asked;
}
const named = (): Response => new Response('{"id":"p1"}', { status: 201 });

test("a picture is handed over with the token, which is asked for once", async () => {
  const asked = serving(named(), new Response("bytes"));
  const pictures = new Pictures(facts, account(true));
  assert.equal(pictures.largest, 1_000);
  assert.equal(await pictures.put(new Blob(["x"])), "p1");
  assert.equal(await (await pictures.get("p1")).text(), "bytes");
  assert.deepEqual(asked, ["POST /attachments Bearer t1", "GET /attachments/p1 Bearer t1"]);
});

test("a token that has expired is renewed where it can be", async () => {
  const asked = serving(new Response("", { status: 401 }), named());
  assert.equal(await new Pictures(facts, account(true)).put(new Blob(["x"])), "p1");
  assert.deepEqual(asked, ["POST /attachments Bearer t1", "POST /attachments Bearer t2"]);
  serving(new Response("", { status: 401 }));
  await assert.rejects(new Pictures(facts, account(false)).put(new Blob(["x"])), PictureRefused);
});

test("what will not change is a refusal with a sentence, everything else may be tried again", async () => {
  const put = (status: number, body = ""): Promise<string> => {
    serving(new Response(body, { status }));
    return new Pictures(facts, account(false)).put(new Blob(["x"]));
  };
  await assert.rejects(put(413), new PictureRefused("it is too large for this server"));
  await assert.rejects(put(415), new PictureRefused("the server does not take pictures of this kind"));
  await assert.rejects(put(400, '{"error":{"code":106,"message":"you have no room for more pictures"}}'), new PictureRefused("you have no room for more pictures"));
  await assert.rejects(put(400, "no JSON"), new PictureRefused("the server says 400"));
  for (const status of [429, 502, 503, 504]) {
    await assert.rejects(put(status), (error: unknown) => error instanceof Error && !(error instanceof PictureRefused), String(status));
  }
  await assert.rejects(put(201, "{}"), (error: unknown) => !(error instanceof PictureRefused));
});

test("a page full of pictures gets them all from a server that lets a user have a few at a time", async () => {
  let under = 0;
  let most = 0;
  let refused = 0;
  globalThis.fetch = (async (path: string) => {
    under += 1;
    most = Math.max(most, under);
    await new Promise((resume) => setTimeout(resume, 2));
    const busy = refused < 2; // another page of the same user was quicker
    if (busy) refused += 1;
    under -= 1;
    return busy ? new Response("", { status: 429 }) : new Response(path);
  }) as typeof fetch;
  const pictures = new Pictures(facts, account(true), 1);
  const ids = Array.from({ length: 20 }, (_, n) => `p${n}`);
  const got = await Promise.all(ids.map(async (id) => (await pictures.get(id)).text()));
  assert.deepEqual(got, ids.map((id) => `/attachments/${id}`));
  assert.ok(most <= 3, `${most} at a time`);
});

test("a picture that is not there is asked for once, and leaves its place to the next", async () => {
  const asked = serving(...Array.from({ length: 5 }, () => new Response("", { status: 404 })), new Response("bytes"));
  const pictures = new Pictures(facts, account(true), 1);
  const gone = await Promise.allSettled(["a", "b", "c", "d", "e"].map((id) => pictures.get(id)));
  assert.ok(gone.every((one) => one.status === "rejected" && one.reason instanceof PictureRefused));
  assert.equal(await (await pictures.get("f")).text(), "bytes");
  assert.equal(asked.length, 6);
});

test("a server without it keeps no pictures", () => {
  const { attachments: _none, ...without } = facts;
  assert.equal(new Pictures(without, account(true)).largest, 0);
});
