// SPDX-License-Identifier: Apache-2.0
// Processes under test. Each leads its own process group, so that stopping it by its id also stops what it started.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { eventually, pause } from "./suite.js";

const alive = new Set();

export class Process {
  lines = []; // what it said on stdout
  complaints = []; // what it said on stderr
  exit; // { code, signal } once it has ended

  constructor(command, args, { env = {}, cwd } = {}) {
    this.title = [command.split("/").at(-1), ...args].join(" ");
    this.child = spawn(command, args, { env: { ...process.env, ...env }, cwd, detached: true, stdio: "pipe" });
    alive.add(this);
    this.child.on("error", (error) => this.#ended({ code: -1, signal: error.message }));
    this.child.on("exit", (code, signal) => this.#ended({ code, signal }));
    this.child.stdin.on("error", () => {}); // it may have ended before it read everything
    createInterface({ input: this.child.stdout }).on("line", (line) => this.lines.push(line));
    createInterface({ input: this.child.stderr }).on("line", (line) => this.complaints.push(line));
  }

  write(line) {
    this.child.stdin.write(`${line}\n`);
  }

  // The match of the first line, on either stream, that fits.
  async says(pattern, limitMs = 10_000) {
    return eventually(`"${this.title}" says ${pattern}`, () => {
      const match = [...this.lines, ...this.complaints].map((line) => pattern.exec(line)).find(Boolean);
      if (!match && this.exit) throw new Error(`"${this.title}" ended (${this.exit.code}, ${this.exit.signal}): ${this.complaints.join(" | ")}`);
      return match;
    }, limitMs);
  }

  signal(name) {
    if (!this.exit) this.child.kill(name);
  }

  async ended(limitMs = 10_000) {
    return eventually(`"${this.title}" ends`, () => this.exit, limitMs);
  }

  // Politely, then firmly; the whole group.
  async stop(graceMs = 3_000) {
    this.#signalGroup("SIGTERM");
    for (let waitedMs = 0; !this.exit && waitedMs < graceMs; waitedMs += 50) await pause(50);
    this.#signalGroup("SIGKILL");
    alive.delete(this);
  }

  killNow() {
    this.#signalGroup("SIGKILL");
  }

  #signalGroup(name) {
    try {
      if (this.child.pid) process.kill(-this.child.pid, name);
    } catch {
      // the group has no process left
    }
  }

  #ended(exit) {
    this.exit ??= exit;
  }
}

// A run that is cut short may start something after it has stopped everything.
process.once("exit", () => alive.forEach((each) => each.killNow()));

export async function stopAll() {
  await Promise.all([...alive].map((each) => each.stop(1_000)));
}
