// SPDX-License-Identifier: Apache-2.0
// A client of W3C WebDriver, as much of it as the tests need: one session, several windows, one command at a time.

const elementKey = "element-6066-11e4-a52e-4f735466cecf";

export class WebDriver {
  #turn = Promise.resolve();

  constructor(base) {
    this.base = base;
  }

  async start(capabilities) {
    const { sessionId, capabilities: granted } = await this.#call("POST", "/session", { capabilities: { alwaysMatch: capabilities } });
    this.session = `/session/${sessionId}`;
    this.granted = granted;
  }

  async ready() {
    try {
      return (await this.#call("GET", "/status")).ready;
    } catch {
      return false;
    }
  }

  // Commands of different windows must not mix: each action has the session for itself, with its window in front.
  inWindow(handle, action) {
    const done = this.#turn.then(async () => {
      if (handle) await this.command("POST", "/window", { handle });
      return action();
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  command(method, path, body) {
    return this.#call(method, this.session + path, body);
  }

  async element(selector) {
    const found = await this.command("POST", "/element", { using: "css selector", value: selector });
    return `/element/${found[elementKey]}`;
  }

  // Runs `body`, which may be asynchronous, in the page.
  async evaluate(body, args) {
    const script = `const done = arguments[arguments.length - 1];
      const args = Array.prototype.slice.call(arguments, 0, -1);
      new Promise((resolve) => resolve((${body})(...args))).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
    const { value, error } = await this.command("POST", "/execute/async", { script, args });
    if (error) throw new Error(error);
    return value;
  }

  async quit() {
    if (this.session) await this.command("DELETE", "");
  }

  async #call(method, path, body) {
    const response = await fetch(this.base + path, {
      method,
      body: method === "POST" ? JSON.stringify(body ?? {}) : undefined,
      signal: AbortSignal.timeout(75_000),
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  }
}
