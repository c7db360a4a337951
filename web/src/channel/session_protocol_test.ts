// SPDX-License-Identifier: Apache-2.0
// The session's facts: complete, partial, malformed; and the command that is offered for pasting.
import assert from "node:assert/strict";
import { test } from "node:test";
import { joinCommand, parseSessionFacts } from "./session_protocol.ts";

const complete = {
  tls: "TLSv1.3",
  cipher: "TLS_AES_128_GCM_SHA256",
  group: "X25519",
  alpn: "http/1.1",
  resumed: true,
  protocol: "session.fairlead",
  extensions: "permessage-deflate",
  server: "fairlead 0.1.0",
  peer: "127.0.0.1",
  ca: "dev",
};

test("complete facts are taken as they are", () => {
  assert.deepEqual(parseSessionFacts(JSON.stringify(complete)), complete);
});

test("facts that are missing or of another type are empty", () => {
  const facts = parseSessionFacts('{"tls":"TLSv1.2","cipher":7,"resumed":"yes"}');
  assert.equal(facts?.tls, "TLSv1.2");
  assert.equal(facts?.cipher, "");
  assert.equal(facts?.resumed, false);
  assert.equal(facts?.ca, "");
});

test("what is not an object with a TLS version is refused", () => {
  for (const text of ["", "null", "[]", "7", '"x"', "{", "{}", '{"tls":13}', "rtt 5"]) {
    assert.equal(parseSessionFacts(text), undefined, text);
  }
});

test("the command is safe to paste", () => {
  assert.equal(joinCommand("localhost:8443", ""), "fairlead connect wss://localhost:8443/room");
  assert.equal(joinCommand("[::1]:8443", "/a/ca.pem"), "fairlead connect wss://[::1]:8443/room --ca /a/ca.pem");
  assert.equal(joinCommand("h", "my ca's.pem"), "fairlead connect wss://h/room --ca 'my ca'\\''s.pem'");
});
