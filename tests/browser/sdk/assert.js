// SPDX-License-Identifier: Apache-2.0
// What the cases use of node:assert/strict, for a page.
const shown = (value) => (value instanceof RegExp ? String(value) : JSON.stringify(value));
const fail = (message, text) => {
  throw new Error(message ? `${message}: ${text}` : text);
};
const isObject = (value) => typeof value === "object" && value !== null;

function isSame(a, b) {
  if (!isObject(a) || !isObject(b)) return Object.is(a, b);
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]));
}

export default {
  ok: (value, message) => value || fail(message, `${shown(value)} is not true`),
  equal: (actual, wanted, message) => Object.is(actual, wanted) || fail(message, `${shown(actual)} is not ${shown(wanted)}`),
  deepEqual: (actual, wanted, message) => isSame(actual, wanted) || fail(message, `${shown(actual)} is not ${shown(wanted)}`),
  match: (text, pattern, message) => pattern.test(text) || fail(message, `${shown(text)} does not fit ${pattern}`),
  doesNotMatch: (text, pattern, message) => !pattern.test(text) || fail(message, `${shown(text)} fits ${pattern}`),
  async rejects(promise, wanted) {
    const error = await promise.then(() => fail("", "it was not rejected"), (reason) => reason);
    for (const [name, value] of Object.entries(wanted)) if (!isSame(error[name], value)) throw error;
  },
};
