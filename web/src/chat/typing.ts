// SPDX-License-Identifier: Apache-2.0
// Who is typing: told at most every few seconds, believed for a little longer than that, and over when the person says
// something.

export const tellEveryMs = 3_000;
export const believeForMs = 5_000;

export class TypingOut {
  #toldAt = -Infinity;

  // True when it has to be told now.
  typed(now: number): boolean {
    if (now - this.#toldAt < tellEveryMs) return false;
    this.#toldAt = now;
    return true;
  }
  // The message is sent: the next character is told at once.
  stopped(): void {
    this.#toldAt = -Infinity;
  }
}

export class TypingIn {
  #until = new Map<string, { name: string; until: number }>();

  heard(user: string, name: string, now: number): void {
    this.#until.set(user, { name, until: now + believeForMs });
  }
  said(user: string): void {
    this.#until.delete(user);
  }
  clear(): void {
    this.#until.clear();
  }
  names(now: number): string[] {
    for (const [user, { until }] of this.#until) if (until <= now) this.#until.delete(user);
    return [...this.#until.values()].map(({ name }) => name);
  }
}

export function typingText(names: readonly string[]): string {
  const [first, second] = names;
  if (first === undefined) return "";
  if (second === undefined) return `${first} is typing…`;
  return names.length === 2 ? `${first} and ${second} are typing…` : `${first} and ${names.length - 1} others are typing…`;
}
