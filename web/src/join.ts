// SPDX-License-Identifier: Apache-2.0
// The command that brings a terminal into the room, and the button that copies it.
import { byId } from "./dom.ts";
import { joinCommand } from "./session_protocol.ts";

const answerShownMs = 1_600;

export function showJoinCommand(caPath: string): void {
  byId("join-command").textContent = joinCommand(location.host, caPath);
  byId("join-note").textContent =
    caPath === ""
      ? "Add --ca FILE when the server's certificate comes from a CA that your system does not know."
      : "Each line you type is said in the room; /name NAME renames you.";
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
