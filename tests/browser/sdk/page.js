// SPDX-License-Identifier: Apache-2.0
// The cases of tests/sdk in a page: it tells their names, and runs the one that it is told.
import { all, tearDown } from "../../sdk/harness.mjs";
import "../../sdk/cases_basics.mjs";
import "../../sdk/cases_durable.mjs";
import "../../sdk/cases_server.mjs";
import "../../sdk/cases_trust.mjs";

globalThis.sdkCases = all.map(({ name, seconds }) => ({ name, seconds }));
globalThis.beginSdkCase = (wanted) => {
  globalThis.outcome = undefined;
  const { body } = all.find(({ name }) => name === wanted);
  const told = (error) => `${error?.message ?? error}\n${error?.stack ?? ""}`;
  void body().then(() => "passed", told).then(async (outcome) => {
    await tearDown().catch((error) => (outcome = told(error)));
    globalThis.outcome = outcome;
  });
};
