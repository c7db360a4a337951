// SPDX-License-Identifier: Apache-2.0
// The relay over BoringSSL, in Bun: plaintext on standard input and output, TLS on a socket. ../stream.py has the protocol.
import { readFileSync, writeSync } from "node:fs";
import tls from "node:tls";
import net from "node:net";

const options = Object.fromEntries(process.argv.slice(2).map((one) => {
  const at = one.indexOf("=");
  return [one.slice(0, at), one.slice(at + 1)];
}));

function writeAll(bytes) {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

function report(kind, payload) {
  const body = Buffer.from(payload);
  const head = Buffer.alloc(5);
  head.write(kind);
  head.writeUInt32BE(body.length, 1);
  writeAll(Buffer.concat([head, body]));
}

let socket; // the connection of now
let raw;
let pending = Buffer.alloc(0);

function obey(kind, payload) {
  if (kind === "D" && payload.length) socket?.write(payload);
  if (kind === "C") socket?.end();
  if (kind === "X") (raw ?? socket)?.destroy();
  if (kind === "N") socket?.destroy();
}

process.stdin.on("data", (data) => {
  pending = Buffer.concat([pending, data]);
  while (pending.length >= 5 && pending.length >= 5 + pending.readUInt32BE(1)) {
    const size = pending.readUInt32BE(1);
    obey(String.fromCharCode(pending[0]), pending.subarray(5, 5 + size));
    pending = pending.subarray(5 + size);
  }
});
process.stdin.on("end", () => process.exit(0));

function watch(connection, before) {
  socket = connection;
  let ended = false;
  const end = (text) => {
    if (!ended) report("E", text);
    ended = true;
  };
  connection.on("data", (data) => report("D", data));
  connection.on("end", () => end("close_notify"));
  connection.on("error", (error) => end(`error: ${error.message}`));
  connection.on("close", () => end("closed"));
  const cipher = connection.getCipher();
  const name = cipher?.standardName ?? cipher?.name ?? "";
  report("O", `${connection.getProtocol()} ${name} ${connection.isSessionReused?.() ? "resumed" : "full"}`);
  before?.();
}

const common = {
  minVersion: `TLSv${options.version}`,
  maxVersion: `TLSv${options.version}`,
  ALPNProtocols: ["http/1.1"],
  allowHalfOpen: true,
};
if (options.ca) common.ca = readFileSync(options.ca);
if (options.cert) Object.assign(common, { cert: readFileSync(options.cert), key: readFileSync(options.key) });

if (options.role === "client") {
  const target = { ...common, host: "127.0.0.1", port: Number(options.port), servername: "localhost" };
  const connection = tls.connect(target, () => watch(connection));
  connection.on("error", (error) => socket ?? (report("E", `error: ${error.message}`), process.exit(1)));
} else {
  const settings = { ...common };
  if (options.client_ca) {
    Object.assign(settings, { ca: readFileSync(options.client_ca), requestCert: true, rejectUnauthorized: true });
  }
  const server = tls.createServer(settings, (connection) => watch(connection));
  server.on("tlsClientError", (error) => report("E", `error: ${error.message}`));
  server.listen(0, "127.0.0.1", () => report("L", String(server.address().port)));
}
