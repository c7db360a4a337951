// SPDX-License-Identifier: Apache-2.0
// Runs every case of the files beside this one and counts.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { all, tearDown } from './harness.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
for (const file of readdirSync(here).filter((name) => /^cases_.*\.mjs$/.test(name)).sort()) await import(`./${file}`);

// The SDK leaves the failure of an HTTP request to nobody when the server is killed below it; it comes back all the same.
process.on('unhandledRejection', (error) => {
  if (error?.message !== 'fetch failed') throw error;
});

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : '';
let passed = 0;
let failed = 0;
for (const { name, body, seconds } of all) {
  if (!name.includes(only)) continue;
  const began = Date.now();
  let late;
  try {
    await Promise.race([
      body(),
      new Promise((_, reject) => {
        late = setTimeout(() => reject(new Error(`not done after ${seconds} s`)), seconds * 1000);
      }),
    ]);
    passed += 1;
    console.log(`ok      ${name} (${Date.now() - began} ms)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL    ${name}: ${error?.stack ?? error}`);
  } finally {
    clearTimeout(late);
    await tearDown();
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
