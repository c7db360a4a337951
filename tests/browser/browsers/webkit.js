// SPDX-License-Identifier: Apache-2.0
// WebKit: the distribution's WebKitGTK driver and MiniBrowser on a virtual display. WebKitGTK asks the system's trust
// store and has no store of its own, so the test trusts exactly the leaf, for localhost alone; everything else is
// verified and refused as usual.
import { mkdirSync, readdirSync, existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Process } from "../processes.js";
import { eventually } from "../suite.js";
import { WebDriver } from "./webdriver.js";

const keys = { Enter: "\uE007", Tab: "\uE004", ArrowUp: "\uE013", Escape: "\uE00C" };

export async function startWebKit({ directory, leaf, ca }) {
  const display = await startDisplay();
  const home = join(directory, "home");
  mkdirSync(join(home, "run"), { recursive: true, mode: 0o700 });
  const env = {
    HOME: home, XDG_RUNTIME_DIR: join(home, "run"), XDG_DATA_HOME: join(home, "data"), XDG_CACHE_HOME: join(home, "cache"),
    XDG_CONFIG_HOME: join(home, "config"), DISPLAY: display.name, GDK_BACKEND: "x11", NO_AT_BRIDGE: "1", LANG: "C.UTF-8",
    LIBGL_ALWAYS_SOFTWARE: "1", WEBKIT_DISABLE_DMABUF_RENDERER: "1", WEBKIT_DISABLE_COMPOSITING_MODE: "1",
  };
  const port = await freePort();
  const server = new Process("dbus-run-session", ["--", "/usr/bin/WebKitWebDriver", `--port=${port}`], { env });
  const driver = new WebDriver(`http://127.0.0.1:${port}`);
  await eventually("the WebKit driver is ready", () => driver.ready(), 20_000);
  await driver.start({
    timeouts: { script: 60_000, pageLoad: 20_000, implicit: 0 },
    "webkitgtk:browserOptions": {
      binary: miniBrowser(),
      args: ["--automation", "--enable-write-console-messages-to-stdout=true", "--geometry=1280x860"],
      ...(ca ? { certificates: [{ host: "localhost", certificateFile: leaf }] } : {}),
    },
  });
  return new Browser(driver, [server, display.process]);
}

function miniBrowser() {
  const roots = ["/usr/lib", "/usr/libexec"].flatMap((root) => [root, ...readdirSync(root).map((name) => join(root, name))]);
  const paths = roots.flatMap((root) => ["4.1", "6.0", "4.0"].map((version) => join(root, `webkit2gtk-${version}/MiniBrowser`)));
  const found = paths.find((path) => existsSync(path));
  if (!found) throw new Error("MiniBrowser is not installed (package webkit2gtk-driver)");
  return found;
}

// Xvfb chooses a free display itself and tells its number.
async function startDisplay() {
  const xvfb = new Process("Xvfb", ["-displayfd", "1", "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]);
  const [number] = await xvfb.says(/^\d+$/, 20_000);
  return { process: xvfb, name: `:${number}` };
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

class Browser {
  name = "webkit";

  constructor(driver, processes) {
    this.driver = driver;
    this.processes = processes;
  }

  version() {
    return `${this.driver.granted.browserName} ${this.driver.granted.browserVersion}`;
  }

  async open(url) {
    // The session's first window stays as it is: closing it would end the session.
    this.home ??= await this.driver.inWindow(undefined, () => this.driver.command("GET", "/window"));
    const { handle } = await this.driver.inWindow(this.home, () =>
      this.driver.command("POST", "/window/new", { type: "window" }));
    const page = new Page(this.driver, handle, this.processes[0]);
    await page.goto(url);
    return page;
  }

  async close() {
    await this.driver.quit().catch(() => {});
    for (const process of this.processes) await process.stop();
  }
}

function paintAllTheTime() {
  const dot = document.createElement("i");
  dot.id = "painted-dot";
  dot.ariaHidden = "true";
  Object.assign(dot.style, { position: "fixed", left: "0", top: "0", width: "1px", height: "1px" });
  document.body.append(dot);
  let turn = 0;
  dot.painting = setInterval(() => (dot.style.background = (turn += 1) % 2 ? "#808080" : "#818181"), 30);
}
function paintNoMore() {
  const dot = document.getElementById("painted-dot");
  clearInterval(dot.painting);
  dot.remove();
}

class Page {
  forgiven = [];

  constructor(driver, handle, process) {
    this.driver = driver;
    this.handle = handle;
    this.process = process;
    this.before = { lines: process.lines.length, complaints: process.complaints.length };
  }

  // What the browser has written to its console since this page was opened, about any of its pages.
  get problems() {
    const { lines, complaints } = this.process;
    const written = [...lines.slice(this.before.lines), ...complaints.slice(this.before.complaints)];
    const isProblem = (line) => /CONSOLE .*(ERROR|WARN)|Content Security Policy/.test(line);
    return written.filter((line) => isProblem(line) && !this.forgiven.some((pattern) => pattern.test(line)));
  }
  forgive(pattern) {
    this.forgiven.push(pattern);
  }
  #in(action) {
    return this.driver.inWindow(this.handle, action);
  }
  goto(url) {
    return this.#in(() => this.driver.command("POST", "/url", { url }));
  }
  evaluate(body, ...args) {
    return this.#in(() => this.driver.evaluate(body, args));
  }
  type(selector, text) {
    return this.#in(async () => this.driver.command("POST", `${await this.driver.element(selector)}/value`, { text }));
  }
  press(key) {
    return this.#in(() => this.driver.command("POST", "/actions", {
      actions: [{ type: "key", id: "keyboard", actions: [{ type: "keyDown", value: keys[key] }, { type: "keyUp", value: keys[key] }] }],
    }));
  }
  click(selector) {
    return this.#in(async () => this.driver.command("POST", `${await this.driver.element(selector)}/click`));
  }
  async front() {}
  async resize(width, height) {
    await this.#in(() => this.driver.command("POST", "/window/rect", { width, height }));
  }
  async colorScheme() {
    return false;
  }
  // The driver waits for the page's next painting, which one that stands still never does.
  async screenshot(path) {
    await this.evaluate(paintAllTheTime);
    try {
      writeFileSync(path, Buffer.from(await this.#in(() => this.driver.command("GET", "/screenshot")), "base64"));
    } finally {
      await this.evaluate(paintNoMore);
    }
  }
  close() {
    return this.#in(() => this.driver.command("DELETE", "/window"));
  }
}
