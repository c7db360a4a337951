// SPDX-License-Identifier: Apache-2.0
// The two names that the unit tests take from Node, so that no package of types is needed for them.
declare module "node:test" {
  export function test(name: string, body: () => void | Promise<void>): void;
}
declare module "node:assert/strict" {
  const assert: {
    equal(actual: unknown, expected: unknown, message?: string): void;
    deepEqual(actual: unknown, expected: unknown, message?: string): void;
    ok(value: unknown, message?: string): void;
    rejects(promise: Promise<unknown>, how: unknown, message?: string): Promise<void>;
  };
  export default assert;
}
