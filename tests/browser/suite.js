// SPDX-License-Identifier: Apache-2.0
// Named cases with a time limit each. A case that fails, hangs or cannot start is a failure; nothing is skipped.

export class Suite {
  passed = 0;
  failures = [];

  async run(name, limitMs, body) {
    const startedMs = Date.now();
    try {
      await within(limitMs, name, body());
      this.passed += 1;
      console.log(`ok      ${name} (${Date.now() - startedMs} ms)`);
      return true;
    } catch (error) {
      this.failures.push(name);
      console.log(`FAILED  ${name}\n${indented(error?.stack ?? String(error))}`);
      return false;
    }
  }

  // Ends the report; true when everything passed.
  finish() {
    for (const name of this.failures) console.log(`failed: ${name}`);
    console.log(`${this.passed} passed, ${this.failures.length} failed`);
    return this.failures.length === 0;
  }
}

export async function within(limitMs, what, promise) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not done within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

// Asks until the answer is true (or anything truthy), which it returns.
export async function eventually(what, ask, limitMs = 10_000, everyMs = 50) {
  const deadlineMs = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadlineMs) throw new Error(`${what}: still not so after ${limitMs} ms`);
    await pause(everyMs);
  }
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const indented = (text) => text.replace(/^/gm, "        ");
