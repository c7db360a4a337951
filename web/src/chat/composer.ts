// SPDX-License-Identifier: Apache-2.0
// Where a message is written: new, edited, with a picture that was pasted, dropped or chosen.
import type { Backend } from "./backend.ts";
import { base64Length, shrunk, toBlob } from "./images.ts";
import { largestInlineImage, longestText } from "./messages.ts";
import type { Upload } from "./queue.ts";
import type { Message } from "./store.ts";
import { byId, setText } from "./view.ts";

export interface ComposerActions {
  readonly say: (text: string, upload: Upload | null) => void;
  readonly edit: (message: Message, text: string) => void;
  readonly lastOwn: () => Message | undefined;
  readonly typed: () => void;
}

const tallestPx = 160;
// Of the image itself, so that its base64 fits into a message.
const largestInlineBytes = (largestInlineImage / 4) * 3 - 3;

export class Composer {
  readonly #say = byId<HTMLTextAreaElement>("say");
  readonly #fault = byId("composer-fault");
  readonly #editing = byId("editing");
  readonly #attached = byId("attached");
  readonly #backend: Backend;
  readonly #actions: ComposerActions;
  readonly #drafts = new Map<string, string>(); // by conversation
  #place = "";
  #edited: Message | null = null;
  #upload: Upload | null = null;

  constructor(backend: Backend, actions: ComposerActions) {
    this.#backend = backend;
    this.#actions = actions;
    byId<HTMLFormElement>("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#say.addEventListener("keydown", this.#key);
    this.#say.addEventListener("input", () => {
      this.#fit();
      if (this.#say.value.trim() !== "") actions.typed();
    });
    this.#say.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      const file = files.find((one) => one.type.startsWith("image/"));
      if (file) void this.attach(file);
      else this.#fail("Only pictures can be pasted here.");
    });
    const picker = byId<HTMLInputElement>("picture");
    picker.addEventListener("change", () => {
      const file = picker.files?.[0];
      if (file) void this.attach(file);
      picker.value = "";
    });
    const talk = document.querySelector<HTMLElement>("main.talk");
    talk?.addEventListener("dragover", (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
    talk?.addEventListener("drop", (event) => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file) void this.attach(file);
    });
    byId("edit-cancel").addEventListener("click", () => this.#endEdit());
    byId("attached-remove").addEventListener("click", () => this.#detach());
  }

  open(place: string, title: string, mayFocus: boolean): void {
    if (this.#edited) this.#endEdit();
    this.#drafts.set(this.#place, this.#say.value);
    this.#place = place;
    this.#say.value = this.#drafts.get(place) ?? "";
    this.#say.placeholder = `Message ${title}`;
    this.#fail("");
    this.#detach();
    this.#fit();
    if (mayFocus) this.#say.focus();
  }

  beginEdit(message: Message): void {
    this.#edited = message;
    this.#editing.hidden = false;
    setText(byId("send"), "Save");
    this.#say.value = message.text;
    this.#fit();
    this.#say.focus();
    this.#say.setSelectionRange(message.text.length, message.text.length);
  }

  async attach(file: Blob): Promise<void> {
    this.#fail("");
    const largest = this.#backend.largestPicture || largestInlineBytes;
    try {
      this.#upload = await shrunk(file, largest);
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
      return;
    }
    const { data, type, width, height } = this.#upload;
    const picture = byId<HTMLImageElement>("attached-picture");
    picture.src = URL.createObjectURL(toBlob(data, type));
    picture.onload = () => URL.revokeObjectURL(picture.src);
    setText(byId("attached-size"), `${width} × ${height}, ${Math.max(1, Math.round((data.length * 3) / 4 / 1_024))} KiB`);
    this.#attached.hidden = false;
    this.#say.focus();
  }

  #submit(): void {
    const text = this.#say.value.trim().slice(0, longestText);
    if (this.#edited) {
      if (text === "") return this.#fail("To take a message back, delete it.");
      if (text !== this.#edited.text) this.#actions.edit(this.#edited, text);
      return this.#endEdit();
    }
    if (text === "" && !this.#upload) return;
    const upload = this.#upload;
    if (upload && this.#backend.largestPicture === 0 && base64Length((upload.data.length / 4) * 3) > largestInlineImage) {
      return this.#fail("The backend that keeps pictures is away. Paste it again to send it small.");
    }
    this.#say.value = "";
    this.#detach();
    this.#fail("");
    this.#fit();
    this.#actions.say(text, upload);
  }

  readonly #key = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape" && this.#edited) {
      this.#endEdit();
    } else if (event.key === "ArrowUp" && this.#say.value === "" && !this.#edited) {
      const last = this.#actions.lastOwn();
      if (last) {
        event.preventDefault();
        this.beginEdit(last);
      }
    }
  };

  #endEdit(): void {
    this.#edited = null;
    this.#editing.hidden = true;
    setText(byId("send"), "Send");
    this.#say.value = "";
    this.#fail("");
    this.#fit();
    this.#say.focus();
  }
  #detach(): void {
    this.#upload = null;
    this.#attached.hidden = true;
    byId<HTMLImageElement>("attached-picture").removeAttribute("src");
  }
  #fail(sentence: string): void {
    setText(this.#fault, sentence);
  }
  #fit(): void {
    this.#say.style.height = "auto";
    this.#say.style.height = `${Math.min(this.#say.scrollHeight + 2, tallestPx)}px`;
  }
}
