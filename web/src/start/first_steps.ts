// SPDX-License-Identifier: Apache-2.0
// What somebody types who sees this server for the first time: a client, and a publication for it.
import type { ServerFacts } from "../facts.ts";

export function transportNames(facts: ServerFacts): string[] {
  return ["WebSocket", ...(facts.httpStream ? ["HTTP stream"] : []), ...(facts.sse ? ["server-sent events"] : [])];
}

export function firstClient(host: string, development: boolean): string {
  const token = development ? "" : ", {\n    token: TOKEN, // a JWT of your backend\n  }";
  return [
    'import { Centrifuge } from "centrifuge";',
    "const client = new Centrifuge(",
    `  "wss://${host}/connection/websocket"${token},`,
    ");",
    'const news = client.newSubscription("news");',
    'news.on("publication", ({ data }) => console.log(data));',
    "news.subscribe();",
    "client.connect();",
  ].join("\n");
}

// A certificate for development is signed by the local CA, which curl has to be told.
export function firstPublish(host: string, apiPrefix: string, development: boolean): string {
  return [
    `curl https://${host}${apiPrefix}/publish \\`,
    ...(development ? ["  --cacert ~/.local/share/fairlead/ca.pem \\"] : []),
    '  -H "X-API-Key: $KEY" \\',
    `  -d '{"channel":"news","data":{"text":"hello"}}'`,
  ].join("\n");
}
