// SPDX-License-Identifier: Apache-2.0
// The binary under test and its development certificate, in a data directory of the test's own.
import { execFile } from "node:child_process";
import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Process } from "./processes.js";

const binary = process.env.FAIRLEAD;
const web = process.env.FAIRLEAD_WEB ?? "build/web";
const largestEcho = 16 * 1024 * 1024;

export class Server {
  constructor(process, port) {
    this.process = process;
    this.port = port;
    this.host = `localhost:${port}`;
  }
  // A server that is told to end ends with status 0; one that ended by itself, or not well, is a failure.
  async stop() {
    if (this.process.exit) throw new Error(`"${this.process.title}" had ended: ${this.#last()}`);
    await this.process.stop(15_000);
    if (this.process.exit?.code !== 0) throw new Error(`"${this.process.title}" did not end well: ${this.#last()}`);
  }
  async drain() {
    this.process.signal("SIGTERM");
    const { code } = await this.process.ended(20_000);
    if (code !== 0) throw new Error(`"${this.process.title}" did not end well: ${this.#last()}`);
  }
  // Without a word to anybody.
  async kill() {
    this.process.signal("SIGKILL");
    await this.process.ended();
  }
  #last() {
    return `${JSON.stringify(this.process.exit)} ${this.process.complaints.slice(-5).join(" | ")}`;
  }
}

export class Fairlead {
  binary = binary;

  constructor(directory) {
    this.env = { XDG_DATA_HOME: join(directory, "data"), NO_COLOR: "1" };
  }

  // Has `fairlead cert dev` make the CA and the leaf, and finds them by what they are, not by their names.
  async makeDevelopmentCertificate() {
    await promisify(execFile)(binary, ["cert", "dev"], { env: { ...process.env, ...this.env }, timeout: 20_000 });
    const texts = filesBelow(this.env.XDG_DATA_HOME).map((path) => ({ path, text: readFileSync(path, "utf8") }));
    const certificates = texts.filter(({ text }) => text.includes("BEGIN CERTIFICATE-----"))
      .map(({ path, text }) => ({ path, certificate: new X509Certificate(text) }));
    const ca = certificates.find(({ certificate }) => certificate.ca);
    const leaf = certificates.find(({ certificate }) => !certificate.ca);
    const key = texts.find(({ text }) => text.includes("PRIVATE KEY") && leaf?.certificate.checkPrivateKey(createPrivateKey(text)));
    if (!ca || !leaf || !key) throw new Error("`fairlead cert dev` did not leave a CA, a leaf and the leaf's key");
    Object.assign(this, { ca: ca.path, leaf: leaf.path, key: key.path });
  }

  demo(port = 0) {
    return this.#serve(["demo", "--listen", `localhost:${port}`, "--web", web]);
  }

  // The real-time server without a configuration, with the secrets that it printed.
  async realtime(port = 0) {
    const server = await this.#serve(["serve", "--listen", `localhost:${port}`, "--web", web]);
    const secret = async (name) => (await server.process.says(new RegExp(`\\(${name}\\)\\s+(\\S+)`)))[1];
    return Object.assign(server, { password: await secret("admin\\.password"), apiKey: await secret("http_api\\.key") });
  }

  // The real-time server in development mode, with a token secret that outlives a restart.
  tokenSecret = "a secret of the browser tests, long enough";
  serve({ port = 0, options = [], env = {}, web = process.env.FAIRLEAD_WEB ?? "build/web" } = {}) {
    const secret = { FAIRLEAD_CLIENT_TOKEN_HMAC_SECRET_KEY: this.tokenSecret };
    return this.#serve(["serve", "--listen", `localhost:${port}`, "--web", web, ...options], { ...secret, ...env });
  }

  echo(options = [], maxMessage = largestEcho) {
    const certificate = ["--cert", this.leaf, "--key", this.key];
    return this.#serve(["echo", "--listen", "localhost:0", ...certificate, "--max-message", `${maxMessage}`, ...options]);
  }

  run(args, env = {}) {
    return new Process(binary, args, { env: { ...this.env, ...env } });
  }

  async #serve(args, env = {}) {
    const server = this.run(args, env);
    const [, port] = await server.says(/listening on \w+:\/\/\S*:(\d+)/);
    return new Server(server, Number(port));
  }
}

function filesBelow(directory) {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}
