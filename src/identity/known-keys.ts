/**
 * API keys and sessions that this process has just read, so that a caller's next requests need no
 * query. What must stay true:
 *
 * - A revoked key, an ended session, a disabled user, a changed role and a suspended tenant act at once in the process
 *   that changed them, because every mutation makes it `forget()` before it is answered; and in all
 *   others within `ageMsMax` of the commit. Nothing has to arrive for that: a row that is older is
 *   read again. (Nudges were turned down: they may be lost, so the age would have to stay.)
 * - A key is never accepted past its expiry: that is judged with each request.
 * - The secret itself is not kept, and the whole of it is checked with each request.
 */
import type { Queryable } from "#db/pool.ts";

import {
  findCredential,
  hasEnded,
  isUseDue,
  judge,
  noteUse,
  secretOf,
  type Authenticated,
} from "./authenticate.ts";
import type { CredentialRow } from "./credential-rows.ts";
import { kindOf, prefixOf, type Secret } from "./secret.ts";

const ageMsMax = 1_000;
/** Beyond it all are forgotten, which costs each caller one query. */
const keysMax = 10_000;

export interface KnownKeys {
  /** Throws `unauthenticated`, as `authenticate` does. */
  authenticate(text: string, now: number): Promise<Authenticated>;
  /** Of a credential that was accepted before, and is not used now. */
  hasEnded(secret: Secret, now: number): Promise<boolean>;
  forget(): void;
}

interface Known {
  /** From before it was read: what was read is not older. */
  readonly askedAtMs: number;
  row: Promise<CredentialRow>;
}

export function knownKeys(db: Queryable, monotonicMs: () => number): KnownKeys {
  const known = new Map<string, Known>();

  /** Found by its public part, so nothing about the caller is decided here. */
  const find = (secret: Secret): Known => {
    const askedAtMs = monotonicMs();
    const name = `${kindOf(secret)} ${prefixOf(secret)}`;
    const last = known.get(name);
    if (last !== undefined && askedAtMs - last.askedAtMs < ageMsMax) return last;
    if (known.size >= keysMax) known.clear();
    const found: Known = { askedAtMs, row: findCredential(db, secret) };
    known.set(name, found);
    found.row.catch(() => {
      if (known.get(name) === found) known.delete(name);
    });
    return found;
  };

  return {
    authenticate: async (text, now) => {
      const secret = secretOf(text);
      const found = find(secret);
      const row = await found.row;
      const authenticated = judge(row, secret, now);
      if (isUseDue(row, now)) {
        found.row = Promise.resolve({ ...row, lastUsedAt: now });
        await noteUse(db, row, now);
      }
      return authenticated;
    },
    hasEnded: (secret, now) => hasEnded(async () => judge(await find(secret).row, secret, now)),
    forget: () => known.clear(),
  };
}
