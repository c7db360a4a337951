// SPDX-License-Identifier: Apache-2.0
// What needs no browser: the page's unit tests, its size, and that the built page obeys a strict policy.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

// Of what one page loads, the SDK of the real-time pages apart; and of everything together.
const pageLimitBytes = 60_000;
const totalLimitBytes = 600_000;
const execute = promisify(execFile);

export async function buildCases(suite) {
  await suite.run("page: builds, type-checked", 120_000, async () => {
    await execute("npm", ["run", "--silent", "build"], { cwd: "web", timeout: 110_000 });
  });

  await suite.run("page: the channel page is smaller than 60 kB, and all pages than 600 kB", 5_000, async () => {
    const bytes = (paths) => paths.reduce((sum, path) => sum + statSync(path).size, 0);
    const loaded = [...readFileSync("build/web/channel/index.html", "utf8").matchAll(/(?:src|href)="(\/[^"]+\.\w+)"/g)];
    const channel = bytes(["build/web/channel/index.html", ...loaded.map(([, path]) => `build/web${path}`)]);
    assert.ok(loaded.length >= 3 && channel < pageLimitBytes, `${channel} B in ${loaded.length} files`);
    const total = bytes(filesBelow("build/web"));
    assert.ok(total < totalLimitBytes, `${total} B`);
  });

  await suite.run("page: no inline code, no inline style, nothing from another origin", 5_000, async () => {
    const pages = filesBelow("build/web").filter((name) => name.endsWith(".html"));
    assert.ok(pages.length >= 5, pages.join());
    for (const path of pages) {
      assert.doesNotMatch(readFileSync(path, "utf8"), /<script(?![^>]*\ssrc="\/)[^>]*>|<style|\sstyle="|\son\w+="|javascript:/i, path);
    }
    // The SDK names its documentation in messages, and the start page shows addresses of this server; nothing is loaded.
    for (const path of filesBelow("build/web").filter((name) => /\.(html|css)$/.test(name))) {
      const foreign = readFileSync(path, "utf8").replaceAll("http://www.w3.org/2000/svg", "").match(/https?:\/\/[\w.]+|url\(|@import/g);
      assert.equal(foreign, null, path);
    }
    for (const path of filesBelow("build/web").filter((name) => name.endsWith(".js"))) {
      assert.doesNotMatch(readFileSync(path, "utf8"), /\b(?:import|fetch|EventSource|WebSocket)\(\s*["'`](?:https?|wss?):\/\/\w/, path);
    }
  });

  await unitTests(suite);
}

// Compiles the modules with their tests and reports each test by its name.
async function unitTests(suite) {
  const output = "build/web-unit";
  rmSync(output, { recursive: true, force: true });
  const compiled = await suite.run("page unit: compiles", 60_000, () => execute("npm", ["run", "--silent", "unit"], { cwd: "web" }));
  if (!compiled) return;
  writeFileSync(join(output, "package.json"), '{ "type": "module" }\n');
  const files = filesBelow(output).filter((name) => name.endsWith("_test.js"));
  assert.ok(files.length > 0);
  const { stdout } = await execute("node", ["--test", "--test-reporter=tap", ...files], { timeout: 60_000 }).catch((error) => error);
  const results = [...(stdout ?? "").matchAll(/^ *(not ok|ok) \d+ - (.*)\n((?:(?! *(?:# |ok |not ok )).*\n)*)/gm)];
  const tests = results.filter(([, , name]) => !name.endsWith("_test.js"));
  if (tests.length === 0) await suite.run("page unit: tests run", 1_000, async () => assert.fail(stdout));
  for (const [, verdict, name, details] of tests) {
    await suite.run(`page unit: ${name}`, 1_000, async () => assert.ok(verdict === "ok", details));
  }
}

function filesBelow(directory) {
  return readdirSync(directory).filter((name) => !name.startsWith(".")).flatMap((name) => {
    const path = join(directory, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}
