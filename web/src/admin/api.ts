// SPDX-License-Identifier: Apache-2.0
// How the admin pages ask the server: with the cookie that the browser keeps, and with the token against forged requests
// that the sign-in gave. A refusal is an AdminFault with a sentence.
import { asNumber, asObject, asText, parseJsonObject } from "../json.ts";
import type { JsonObject } from "../json.ts";

export class AdminFault extends Error {
  readonly status: number;

  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }
  get signedOut(): boolean {
    return this.status === 401;
  }
}

type Fetch = (path: string, options: RequestInit) => Promise<Response>;

export class AdminApi {
  private csrf = "";
  private readonly prefix: string;
  private readonly ask: Fetch;

  constructor(prefix: string, ask: Fetch = (path, options) => fetch(path, options)) {
    this.prefix = prefix;
    this.ask = ask;
  }

  async signIn(password: string): Promise<void> {
    this.csrf = asText((await this.send("POST", "login", { password }))["csrf"]);
  }
  async signOut(): Promise<void> {
    await this.send("POST", "logout", {});
    this.csrf = "";
  }
  // The token of a session that is open; false when there is none.
  async resume(): Promise<boolean> {
    try {
      this.csrf = asText((await this.get("session"))["csrf"]);
      return this.csrf !== "";
    } catch (error) {
      if (error instanceof AdminFault && error.signedOut) return false;
      throw error;
    }
  }

  get(path: "session" | "overview" | "limits" | "certificates"): Promise<JsonObject> {
    return this.send("GET", path);
  }

  // A method of the HTTP API: its result.
  async call(method: string, request: object): Promise<JsonObject> {
    const answer = await this.send("POST", `call/${method}`, request);
    const error = asObject(answer["error"]);
    if (error !== undefined) throw new AdminFault(200, `${asText(error["message"])} (${asNumber(error["code"])})`);
    return asObject(answer["result"]) ?? {};
  }

  private async send(method: "GET" | "POST", path: string, body?: object): Promise<JsonObject> {
    const options: RequestInit = { method, cache: "no-store", credentials: "same-origin" };
    if (body !== undefined) {
      options.headers = { "Content-Type": "application/json", "X-Fairlead-CSRF": this.csrf };
      options.body = JSON.stringify(body);
    }
    const response = await this.ask(`${this.prefix}/api/${path}`, options).catch(() => undefined);
    if (response === undefined) throw new AdminFault(0, "The server does not answer.");
    const answer = parseJsonObject(await response.text()) ?? {};
    if (!response.ok) throw new AdminFault(response.status, sentenceOf(answer, response.status));
    return answer;
  }
}

function sentenceOf(answer: JsonObject, status: number): string {
  const error = answer["error"];
  return asText(error) || asText(asObject(error)?.["message"]) || `The server answered with status ${status}.`;
}
