/**
 * What a tenant can set aside for new work: read once under the lock of his wallet, kept up on paper
 * while one ask after the other takes its part, and written by as many statements as for one.
 *
 * What must stay true: what the purse says after some were taken is what the book would say after
 * these were written one by one; so many asks at once get what the same asks would get in turn.
 */
import type { Tx } from "#db/pool.ts";
import { addFen, fen, subtractFen, zeroFen, type Fen } from "#kernel/money.ts";

import { lockCredit, openPackages, type PackageCredit } from "./accounts.ts";
import { hold, type Credit } from "./decide.ts";
import { heldOnPackages, insertPackageHolds, usableNow } from "./package-holds.ts";
import { bookNew } from "./store.ts";

/** Balances of the book that what may be spent follows from. */
export interface PurseState {
  readonly credit: Credit;
  /** `undefined` where packages pay nothing of it: then the wallet alone does. */
  readonly packages:
    | undefined
    | {
        readonly open: readonly PackageCredit[];
        /** On all of them together. */
        readonly held: Fen;
      };
  readonly at: number;
}

export interface Taken {
  readonly reference: string;
  readonly description: string;
  readonly onPackages: Fen;
  readonly inWallet: Fen;
}

/** Pure but for what it remembers of what was taken. */
export class Purse {
  readonly at: number;
  readonly taken: Taken[] = [];
  /** Of the packages that can pay at this instant, less what they will pay already. */
  readonly #usable: bigint;
  /** Of all that are open, whatever they can pay: what is held on packages and more is uncovered. */
  readonly #covering: bigint;
  #heldOnPackages: bigint;
  /** Wallet less what is owed and provisional. */
  #free: bigint;

  constructor({ credit, packages, at }: PurseState) {
    const { open = [], held = zeroFen } = packages ?? {};
    this.at = at;
    this.#usable = usableNow(open, at);
    this.#covering = floor(
      open.reduce((sum, each) => sum + each.principal + each.bonus - each.provisional, 0n),
    );
    this.#heldOnPackages = held;
    // Without packages their part stays as it was read, which `uncovered` then has.
    this.#free = credit.available + (packages === undefined ? 0n : credit.uncovered);
  }

  /** What packages can still back. */
  room(): Fen {
    return fen(floor(this.#usable - this.#heldOnPackages));
  }

  /** What the wallet can still bear; below zero where more is owed or uncovered. */
  wallet(): Fen {
    return fen(this.#free - floor(this.#heldOnPackages - this.#covering));
  }

  /** What can be spent. What is owed is no matter of what packages pay. */
  available(): Fen {
    const room = this.room();
    const wallet = this.wallet();
    return room > 0n && wallet < 0n ? room : addFen(wallet, room);
  }

  /** Takes it, from packages as far as they reach; false, and nothing taken, if it is not there. */
  take(ask: {
    readonly reference: string;
    readonly amount: Fen;
    readonly description: string;
  }): boolean {
    const { reference, amount, description } = ask;
    if (amount <= 0n) return true;
    const room = this.room();
    const onPackages = amount < room ? amount : room;
    const inWallet = subtractFen(amount, onPackages);
    if (inWallet > 0n && this.wallet() < inWallet) return false;
    this.#heldOnPackages += onPackages;
    this.#free -= inWallet;
    this.taken.push({ reference, description, onPackages, inWallet });
    return true;
  }
}

function floor(value: bigint): bigint {
  return value > 0n ? value : 0n;
}

/** Locks the wallet until the transaction ends. `wallet`: of work that packages do not pay. */
export async function openPurse(
  tx: Tx,
  tenantId: string,
  of: { readonly at: number; readonly from: "wallet" | "packages" },
): Promise<Purse> {
  const credit = await lockCredit(tx, tenantId);
  if (of.from === "wallet") return new Purse({ credit, packages: undefined, at: of.at });
  const open = await openPackages(tx, tenantId);
  const held = await heldOnPackages(tx, tenantId);
  return new Purse({ credit, packages: { open, held }, at: of.at });
}

/** Writes what was taken. References are new: one that was used before breaks a constraint. */
export async function writeHolds(tx: Tx, tenantId: string, { at, taken }: Purse): Promise<void> {
  const onPackages = taken.filter((each) => each.onPackages > 0n);
  if (onPackages.length > 0) {
    await insertPackageHolds(
      tx,
      tenantId,
      onPackages.map(({ reference, onPackages: amount }) => ({ reference, amount })),
    );
  }
  const inWallet = taken.filter((each) => each.inWallet > 0n);
  if (inWallet.length === 0) return;
  await bookNew(
    tx,
    tenantId,
    inWallet.map(({ reference, description, inWallet: amount }) => ({
      draft: hold({ reference, description, amount }),
      at,
    })),
  );
}
