// SPDX-License-Identifier: Apache-2.0
// The admin pages: signs in or takes up the session that is open, shows the view that the address names, and keeps the
// overview's plots growing whichever view that is.
import { byId, show } from "../dom.ts";
import { fetchFacts } from "../facts.ts";
import { setLamp, showLinks } from "../lamp.ts";
import { AdminApi, AdminFault } from "./api.ts";
import { channels } from "./channels.ts";
import { clients } from "./clients.ts";
import { certificates, limits } from "./configured.ts";
import { events } from "./events.ts";
import { showOverview } from "./overview.ts";
import { trace } from "./trace.ts";
import type { Surroundings, View } from "./view.ts";

const overviewEveryMs = 2_000;
const views: Readonly<Record<string, View>> = {
  overview: { show: overview },
  clients,
  channels,
  trace,
  events,
  certificates,
  limits,
};

let around: Surroundings;
let signedIn = false;
let repeated: ReturnType<typeof setInterval> | undefined;

// ── Views ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function chosenView(): string {
  const name = location.hash.slice(1);
  return name in views ? name : "overview";
}

function showChosen(): void {
  if (!signedIn) return;
  const chosen = chosenView();
  byId("fault").textContent = "";
  for (const name of Object.keys(views)) show(byId(`view-${name}`), name === chosen);
  for (const link of document.querySelectorAll<HTMLAnchorElement>("#tabs a")) {
    if (link.hash === `#${chosen}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const view = views[chosen];
  clearInterval(repeated);
  if (view === undefined) return;
  guard(() => view.show(around));
  if (view.everyMs !== undefined) repeated = setInterval(() => guard(() => view.show(around)), view.everyMs);
}

async function overview(): Promise<void> {
  const stats = await around.api.get("overview");
  setLamp("open", "Live");
  showOverview(stats, Date.now());
}

function guard(body: () => Promise<void>): void {
  body().then(() => {
    byId("fault").textContent = "";
  }, (error: unknown) => {
    if (error instanceof AdminFault && error.signedOut) return showSignIn("");
    if (error instanceof AdminFault && error.status === 0) setLamp("stopped", "No answer");
    byId("fault").textContent = error instanceof Error ? error.message : String(error);
  });
}

// ── Sign-in ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function showSignIn(fault: string): void {
  signedIn = false;
  clearInterval(repeated);
  setLamp("waiting", "Signed out");
  show(byId("signed-in"), false);
  show(byId("sign-in"), true);
  byId("sign-in-fault").textContent = fault;
  byId("password").focus();
}

function showPages(): void {
  signedIn = true;
  byId<HTMLInputElement>("password").value = "";
  byId("sign-in-fault").textContent = "";
  setLamp("open", "Live");
  show(byId("sign-in"), false);
  show(byId("signed-in"), true);
  showChosen();
  if (chosenView() !== "overview") guard(overview);
}

async function signIn(): Promise<void> {
  try {
    await around.api.signIn(byId<HTMLInputElement>("password").value);
    showPages();
  } catch (error) {
    showSignIn(error instanceof Error ? `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`.replace("..", ".") : String(error));
  }
}

async function open(): Promise<void> {
  const facts = await fetchFacts();
  showLinks(facts);
  around = { api: new AdminApi(facts?.adminPrefix ?? "/admin"), guard };
  for (const view of Object.values(views)) view.open?.(around);
  byId("sign-in").addEventListener("submit", (event) => {
    event.preventDefault();
    void signIn();
  });
  byId("leave").addEventListener("click", () => guard(async () => {
    await around.api.signOut();
    showSignIn("");
  }));
  addEventListener("hashchange", showChosen);
  const resumed = await around.api.resume().catch((error: Error) => error.message);
  if (resumed === true) showPages();
  else showSignIn(resumed === false ? "" : resumed);
  setInterval(() => {
    if (signedIn) guard(overview);
  }, overviewEveryMs);
}

void open();
