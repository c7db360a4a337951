// SPDX-License-Identifier: Apache-2.0
// What conversations are called, and the channels that each of them has. The server reads a name as "namespace:rest",
// and "rest#a,b" as being for the users a and b alone; so a name that people choose may hold none of these marks.

export interface Place {
  readonly key: string; // names the conversation within the page and in local storage
  readonly kind: "room" | "direct";
  readonly title: string;
  readonly other: string; // whom one talks with directly; empty in a room
  readonly channel: string; // the messages
  readonly receipts: string; // how far each has received and read
  readonly typing: string; // who is typing; nothing of it is kept
}

export const lobby = "lobby";
// Where rooms are announced, and what is for one user alone.
export const directoryChannel = "chat:rooms";
export const inboxChannel = (user: string): string => `chat:inbox#${user}`;

const roomPattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,46}[A-Za-z0-9])?$/;
const userPattern = /^[!-~]{1,96}$/; // the protocol's names are printable ASCII
const longestChannel = 255;

export const isRoomName = (name: string): boolean => roomPattern.test(name);
// The user of a direct conversation: its channel lists users with ',' between them, behind a '#'.
export const isDirectUser = (user: string): boolean => userPattern.test(user) && !/[,#]/.test(user);

function place(key: string, rest: Pick<Place, "kind" | "title" | "other">): Place {
  return { key, ...rest, channel: `chat:${key}`, receipts: `chat:seen-${key}`, typing: `typing:${key}` };
}

export function roomPlace(name: string): Place | null {
  return isRoomName(name) ? place(`room-${name}`, { kind: "room", title: name, other: "" }) : null;
}

// Both ends come to the same name: the users stand in the order of their characters' codes.
export function directPlace(me: string, other: string, title = other): Place | null {
  if (!isDirectUser(me) || !isDirectUser(other) || me === other) return null;
  const made = place(`dm-#${me < other ? `${me},${other}` : `${other},${me}`}`, { kind: "direct", title, other });
  return made.receipts.length <= longestChannel ? made : null;
}

// What somebody typed, as the name of a room: spaces become hyphens.
export function tidyRoomName(text: string): string {
  return text.trim().replace(/^#+/, "").replace(/\s+/g, "-").slice(0, 48);
}
