// SPDX-License-Identifier: Apache-2.0
// What the build tells the pages: the folders that became pages, separated by spaces.
interface ImportMeta {
  readonly env: { readonly PAGES: string };
}
