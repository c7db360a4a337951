// SPDX-License-Identifier: Apache-2.0
// What needs no browser: the page's unit tests, its size, and that the built page obeys a strict policy.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const sizeLimitBytes = 60_000;
const execute = promisify(execFile);

export async function buildCases(suite) {
  await suite.run("page: builds, type-checked", 120_000, async () => {
    await execute("npm", ["run", "--silent", "build"], { cwd: "web", timeout: 110_000 });
  });

  await suite.run("page: smaller than 60 kB altogether", 5_000, async () => {
    const bytes = filesBelow("build/web").reduce((sum, path) => sum + statSync(path).size, 0);
    assert.ok(bytes > 0 && bytes < sizeLimitBytes, `${bytes} B`);
  });

  await suite.run("page: no inline code, no inline style, nothing from another origin", 5_000, async () => {
    const html = readFileSync("build/web/index.html", "utf8");
    assert.doesNotMatch(html, /<script(?![^>]*\ssrc="\/)[^>]*>|<style|\sstyle="|\son\w+="|javascript:/i);
    for (const path of filesBelow("build/web").filter((name) => /\.(html|css|js)$/.test(name))) {
      const foreign = readFileSync(path, "utf8").replaceAll("http://www.w3.org/2000/svg", "").match(/https?:\/\/[\w.]+|url\(|@import/g);
      assert.equal(foreign, null, path);
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
  const files = readdirSync(output).filter((name) => name.endsWith("_test.js")).map((name) => join(output, name));
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
