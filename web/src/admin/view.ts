// SPDX-License-Identifier: Apache-2.0
// What every view of the admin pages is: opened once, shown whenever it is chosen.
import type { AdminApi } from "./api.ts";

export interface Surroundings {
  readonly api: AdminApi;
  // Runs it and shows its fault; a session that has ended leads to the sign-in.
  readonly guard: (body: () => Promise<void>) => void;
}

export interface View {
  readonly open?: (around: Surroundings) => void;
  readonly show: (around: Surroundings) => Promise<void>;
  readonly everyMs?: number; // shown again and again while it is chosen
}
