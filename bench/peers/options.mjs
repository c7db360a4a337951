// SPDX-License-Identifier: Apache-2.0
// The command line that every JavaScript peer understands, and the line that says that it is ready.
import { parseArgs } from "node:util";

export function options() {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "0" },
      cert: { type: "string" },
      key: { type: "string" },
      compress: { type: "boolean", default: false },
    },
  });
  return { ...values, port: Number(values.port) };
}

export function announce(port) {
  console.log(`listening on wss://127.0.0.1:${port}/`);
}
