// SPDX-License-Identifier: Apache-2.0
// Chromium (DevTools protocol) and Firefox (WebDriver BiDi) as the distribution ships them, each with a fresh profile.
// Trust is real: the development CA goes into the profile's own store, and nothing is told to accept bad certificates.
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import puppeteer from "puppeteer-core";
import { within } from "../suite.js";

const stepLimitMs = 60_000;
const loadLimitMs = 45_000; // a shared machine may be slow

export async function startChromium({ directory, ca }) {
  const home = join(directory, "home");
  const store = join(home, ".pki/nssdb");
  await makeStore(store, ca);
  const args = [
    "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-gpu", "--disable-dev-shm-usage",
    ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
  ];
  return launch("chromium", {
    browser: "chrome",
    executablePath: "/usr/bin/chromium",
    userDataDir: join(directory, "profile"),
    args,
    env: homeOf(home),
  });
}

export async function startFirefox({ directory, ca }) {
  const profile = join(directory, "profile");
  await makeStore(profile, ca);
  return launch("firefox", {
    browser: "firefox",
    executablePath: "/usr/bin/firefox-esr",
    userDataDir: profile,
    env: { ...homeOf(join(directory, "home")), MOZ_DISABLE_AUTO_SAFE_MODE: "1" },
  });
}

// An NSS store; with `ca`, that CA may vouch for servers.
async function makeStore(directory, ca) {
  mkdirSync(directory, { recursive: true });
  const certutil = (...args) => promisify(execFile)("certutil", ["-d", `sql:${directory}`, ...args], { timeout: 20_000 });
  await certutil("-N", "--empty-password");
  if (ca) await certutil("-A", "-n", "development CA", "-t", "C,,", "-i", ca);
}

function homeOf(home) {
  mkdirSync(join(home, "run"), { recursive: true, mode: 0o700 });
  const { XDG_DATA_HOME, XDG_CONFIG_HOME, XDG_CACHE_HOME, DISPLAY, WAYLAND_DISPLAY, ...rest } = process.env;
  return { ...rest, HOME: home, XDG_RUNTIME_DIR: join(home, "run"), LANG: "C.UTF-8" };
}

async function launch(name, options) {
  const browser = await puppeteer.launch({
    headless: true,
    acceptInsecureCerts: false,
    defaultViewport: { width: 1280, height: 860 },
    timeout: 45_000,
    protocolTimeout: stepLimitMs,
    ...options,
  });
  return new Browser(name, browser);
}

class Browser {
  constructor(name, browser) {
    this.name = name;
    this.browser = browser;
  }
  version() {
    return this.browser.version();
  }
  async open(url) {
    const page = new Page(await this.browser.newPage());
    await page.prepare();
    await page.goto(url);
    return page;
  }
  async close() {
    const child = this.browser.process();
    try {
      await within(10_000, "closing the browser", this.browser.close());
    } catch {
      child?.kill("SIGKILL");
    }
  }
}

class Page {
  problems = [];

  constructor(page) {
    this.page = page;
  }

  async prepare() {
    this.page.on("console", (message) => {
      if (["error", "warn"].includes(message.type())) this.problems.push(message.text());
    });
    this.page.on("pageerror", (error) => this.problems.push(String(error)));
    await this.page.evaluateOnNewDocument(() => {
      addEventListener("securitypolicyviolation", (event) =>
        console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`));
    });
  }

  // What is wanted by a case is no problem.
  forgive(pattern) {
    this.problems = this.problems.filter((text) => !pattern.test(text));
  }

  async goto(url) {
    const response = await this.page.goto(url, { timeout: loadLimitMs });
    if (response && !response.ok() && response.status() !== 304) throw new Error(`${url}: status ${response.status()}`);
  }
  evaluate(body, ...args) {
    return this.page.evaluate(body, ...args);
  }
  async type(selector, text) {
    await this.page.focus(selector);
    await this.page.keyboard.type(text);
  }
  press(key) {
    return this.page.keyboard.press(key);
  }
  click(selector) {
    return this.page.click(selector);
  }
  // A page behind others is drawn, and its timers run, only now and then.
  front() {
    return this.page.bringToFront();
  }
  async resize(width, height) {
    await this.page.setViewport({ width, height });
  }
  // False where the browser cannot be asked to (WebDriver BiDi).
  async colorScheme(value) {
    if (this.page.browser().protocol === "webDriverBiDi") return false;
    await this.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
    return true;
  }
  async screenshot(path) {
    await this.page.screenshot({ path, fullPage: true });
  }
  close() {
    return this.page.close();
  }
}
