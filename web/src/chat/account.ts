// SPDX-License-Identifier: Apache-2.0
// Who the user is: a name on a server in development mode, a JWT otherwise. A token may come in the address behind '#',
// which browsers do not send to servers; it leaves the address at once, and is written nowhere but to this tab's
// session storage.

export interface Facts {
  readonly version: string;
  readonly development: boolean;
  readonly http_stream: boolean;
  readonly sse: boolean;
  readonly attachments?: { readonly prefix: string; readonly max_size: number }; // pictures by HTTP
}
export interface Account {
  readonly user: string;
  readonly name: string;
  readonly token: () => Promise<string>;
  readonly renewable: boolean; // asking for a token gives a new one
}
export class SignInFailed extends Error {}

const rememberedKey = "fairlead-chat/account";
const lastNameKey = "fairlead-chat/name";

export async function askFacts(): Promise<Facts> {
  const answer = await fetch("/facts.json", { cache: "no-store" });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return (await answer.json()) as Facts;
}

// The words behind '#': token=…, room=…, with=…. The token is taken out of the address.
export function takeFragment(): URLSearchParams {
  const words = new URLSearchParams(location.hash.slice(1));
  if (words.has("token")) history.replaceState(null, "", location.pathname + location.search);
  return words;
}

// What a token says about its bearer. The server verifies it; the page only wants to know whose it is.
export function claimsOf(token: string): { user: string; name: string } | null {
  try {
    const body = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown; info?: { name?: unknown } };
    if (typeof claims.sub !== "string" || claims.sub === "") return null;
    return { user: claims.sub, name: typeof claims.info?.name === "string" && claims.info.name ? claims.info.name : claims.sub };
  } catch {
    return null;
  }
}

export async function signInByName(name: string): Promise<Account> {
  const ask = async (): Promise<string> => {
    const answer = await fetch(`/development/token?user=${encodeURIComponent(name)}`, {
      headers: { "X-Fairlead-Development": "1" },
      cache: "no-store",
    });
    if (answer.status === 400) throw new SignInFailed("A name has 1 to 64 letters, digits, ‘-’, ‘_’ or ‘.’");
    if (!answer.ok) throw new Error(`the server gave no token (${answer.status})`);
    return ((await answer.json()) as { token: string }).token;
  };
  const first = await ask();
  remember({ name });
  localStorage.setItem(lastNameKey, name);
  let unused: string | null = first;
  return {
    user: name,
    name,
    renewable: true,
    token: async () => {
      const token = unused ?? (await ask());
      unused = null;
      return token;
    },
  };
}

export function signInByToken(token: string): Account {
  const claims = claimsOf(token.trim());
  if (!claims) throw new SignInFailed("That is not a token that names a user (a JWT with the claim sub).");
  remember({ token: token.trim() });
  return { ...claims, renewable: false, token: async () => token.trim() };
}

interface Remembered {
  readonly name?: string;
  readonly token?: string;
}
function remember(what: Remembered): void {
  sessionStorage.setItem(rememberedKey, JSON.stringify(what));
}
export function remembered(): Remembered {
  try {
    return (JSON.parse(sessionStorage.getItem(rememberedKey) ?? "{}") ?? {}) as Remembered;
  } catch {
    return {};
  }
}
export function forget(): void {
  sessionStorage.removeItem(rememberedKey);
}
export const lastName = (): string => localStorage.getItem(lastNameKey) ?? "";
