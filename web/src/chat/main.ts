// SPDX-License-Identifier: Apache-2.0
// Signing in, then the chat.
import { askFacts, forget, lastName, remembered, signInByName, signInByToken, SignInFailed, takeFragment } from "./account.ts";
import type { Account, Facts } from "./account.ts";
import { App } from "./app.ts";
import { byId, setText } from "./view.ts";

const endedKey = "fairlead-chat/ended";
const askAgainMs = 2_000;

function fail(error: unknown): void {
  setText(byId("sign-in-fault"), error instanceof SignInFailed ? error.message : "The server does not answer. Try again in a moment.");
}

function enter(account: Account, facts: Facts, words: URLSearchParams): void {
  byId("sign-in").hidden = true;
  byId("app").hidden = false;
  document.body.dataset["view"] = "list";
  const leave = (reason: string): void => {
    forget();
    sessionStorage.setItem(endedKey, reason);
    location.hash = "";
    location.reload(); // nothing of this user stays in memory
  };
  byId("sign-out").addEventListener("click", () => leave(""));
  new App(account, facts, (reason) => leave(`The server ended it: ${reason}.`)).start(words);
}

function offer(facts: Facts, words: URLSearchParams): void {
  const form = byId<HTMLFormElement>(facts.development ? "sign-in-name" : "sign-in-token");
  const input = byId<HTMLInputElement>(facts.development ? "name" : "token");
  form.hidden = false;
  if (facts.development) input.value = lastName();
  input.focus();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const signIn = async (): Promise<Account> => (facts.development ? signInByName(input.value.trim()) : signInByToken(input.value));
    signIn().then((account) => enter(account, facts, words), fail);
  });
}

async function factsAtLast(): Promise<Facts> {
  for (;;) {
    try {
      return await askFacts();
    } catch {
      setText(byId("sign-in-wait"), "The server does not answer. Asking again…");
      await new Promise((resolve) => setTimeout(resolve, askAgainMs));
    }
  }
}

async function begin(): Promise<void> {
  const words = takeFragment();
  const facts = await factsAtLast();
  byId("sign-in-wait").hidden = true;
  setText(byId("sign-in-fault"), sessionStorage.getItem(endedKey) ?? "");
  sessionStorage.removeItem(endedKey);
  const { name, token } = remembered();
  const brought = words.get("token") ?? token;
  try {
    if (brought) return enter(signInByToken(brought), facts, words);
    if (facts.development && name) return enter(await signInByName(name), facts, words);
  } catch (error) {
    fail(error);
  }
  offer(facts, words);
}

void begin();
