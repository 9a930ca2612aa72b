/** What the page and its worker say to each other. */
import type { Trust } from "#verify/log.ts";

import type { Checked } from "./check.ts";

export interface Asked {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly trust: Trust;
}

export type Answered =
  | { readonly kind: "checked"; readonly checked: Checked }
  /** No Web Crypto: a page over plain http from another machine. */
  | { readonly kind: "no_web_crypto" }
  | { readonly kind: "failed"; readonly message: string };
