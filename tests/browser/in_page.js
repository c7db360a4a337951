// SPDX-License-Identifier: Apache-2.0
// What runs inside a browser: raw WebSockets, and questions to the page. Each function is sent as its own source text,
// so it uses nothing but its arguments.

// Opens a WebSocket, and closes it as told; answers how it went.
export async function closing({ url, protocols = [], closeWith, send }) {
  const socket = new WebSocket(url, protocols);
  return new Promise((resolve, reject) => {
    const seen = { opened: false, error: false };
    setTimeout(() => reject(new Error(`no close event; ${JSON.stringify(seen)}`)), 10_000);
    socket.onopen = () => {
      seen.opened = true;
      seen.extensions = socket.extensions;
      if (send) socket.send(new Uint8Array(send));
      if (closeWith) socket.close(...closeWith);
    };
    socket.onerror = () => (seen.error = true);
    socket.onclose = ({ code, reason, wasClean }) => resolve({ ...seen, code, reason, wasClean });
  });
}

// Opens a WebSocket that stays; `lateClose` waits for its end.
export async function keepOpen(url) {
  const socket = new WebSocket(url);
  globalThis.kept = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("it never closed")), 15_000);
    socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean });
  });
  return new Promise((resolve) => (socket.onopen = () => resolve(true)));
}
export function lateClose() {
  return globalThis.kept;
}

// Sends one message of each size and hashes what comes back. Text mixes characters of one to four bytes.
export async function echoed({ url, kind, sizes }) {
  const textOf = (size) => {
    const unit = "aé€🙂 the line runs fair "; // 31 bytes
    const bytes = new TextEncoder().encode(unit).length;
    return unit.repeat(Math.floor(size / bytes)) + "x".repeat(size % bytes);
  };
  const bytesOf = (size) => {
    const bytes = new Uint8Array(size);
    let state = 0x9e3779b9 ^ size;
    for (let index = 0; index < size; index += 1) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      bytes[index] = state;
    }
    return bytes;
  };
  const digest = async (data) => {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const next = () => new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("no echo")), 30_000);
    socket.onmessage = ({ data }) => resolve(data);
    socket.onclose = ({ code, reason }) => reject(new Error(`closed with ${code} ${reason}`));
  });
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onclose = ({ code }) => reject(new Error(`could not open: ${code}`));
  });
  const results = [];
  for (const size of sizes) {
    const sent = kind === "text" ? textOf(size) : bytesOf(size);
    const answer = next();
    socket.send(sent);
    const got = await answer;
    results.push({
      size,
      gotKind: typeof got === "string" ? "text" : "binary",
      gotSize: typeof got === "string" ? new TextEncoder().encode(got).length : got.byteLength,
      sent: await digest(sent),
      got: await digest(got),
    });
  }
  const closed = new Promise((resolve) => (socket.onclose = ({ code }) => resolve(code)));
  socket.close(1000, "done");
  return { results, extensions: socket.extensions, closeCode: await closed };
}

export const textOfId = (id) => document.getElementById(id)?.textContent ?? "";
export const stateOfPage = () => document.getElementById("state").dataset.state;
export const sampleCount = () => Number(document.getElementById("rtt-graph").dataset.samples ?? 0);
export const memberNames = () => Array.from(document.querySelectorAll("#room-members .name"), (name) => name.textContent);
export const conversation = () =>
  Array.from(document.querySelectorAll("#room-log .said"), (line) =>
    `${line.querySelector(".from").textContent}: ${line.querySelector(".text").textContent}`);
export const bannerText = () => {
  const banner = document.getElementById("banner");
  return banner.hidden ? "" : banner.textContent.replace(/\s+/g, " ").trim();
};

// Gives fields their values as a person does, so that the page hears of it.
export function fill(values) {
  for (const [id, value] of Object.entries(values)) {
    const field = document.getElementById(id);
    if (typeof value === "boolean") field.checked = value;
    else field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
export const clickId = (id) => document.getElementById(id).click();
export const journalLines = () =>
  Array.from(document.querySelectorAll("#journal > li"), (line) => ({
    direction: line.dataset.direction ?? "event",
    what: line.querySelector(".what").textContent,
    size: line.querySelector(".size")?.textContent ?? "",
    text: line.querySelector("pre")?.textContent ?? "",
    shown: !line.hidden,
  }));
export const textsOf = (selector) => Array.from(document.querySelectorAll(selector), (element) => element.textContent.trim());
export const widthBeyondWindow = () => document.documentElement.scrollWidth - innerWidth;
