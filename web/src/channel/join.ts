// SPDX-License-Identifier: Apache-2.0
// The command that brings a terminal into the room, and the button that copies it.
import { byId, make } from "../dom.ts";
import { joinCommand } from "./session_protocol.ts";

const answerShownMs = 1_600;

// `ca` is what the server told: `dev` for the development CA, or nothing; on the own machine it is the former.
export function showJoinCommand(ca: string): void {
  const local = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(location.hostname);
  const words = joinCommand(location.host, ca === "" && local ? "dev" : ca).split(" ");
  const parts = words.flatMap((word, index) => [index === 0 ? "" : " ", make("span", "word", word)]);
  byId("join-command").replaceChildren(...parts); // lines break between words, never inside `--ca`
}

export function enableCopy(): void {
  const button = byId<HTMLButtonElement>("join-copy");
  let timer: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener("click", async () => {
    button.textContent = (await copied(byId("join-command"))) ? "Copied" : "Press Ctrl+C";
    clearTimeout(timer);
    timer = setTimeout(() => (button.textContent = "Copy"), answerShownMs);
  });
}

// A browser may refuse the clipboard; then the command is selected, ready for the keyboard.
async function copied(source: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(source.textContent ?? "");
    return true;
  } catch {
    getSelection()?.selectAllChildren(source);
    return false;
  }
}
