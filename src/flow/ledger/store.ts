/**
 * Rows of `account`, `journal` and `posting`. What must stay true: a journal is written whole or
 * not at all and once for its key; who takes money from a wallet has locked its row first, so that
 * two at once cannot both take the last yuan.
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { join, sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";
import { fen, formatFen, zeroFen, type Fen } from "#kernel/money.ts";

import {
  accountKinds,
  creditNote,
  creditOf,
  journalKinds,
  topUp,
  voided,
  type Credit,
  type JournalDraft,
} from "./decide.ts";

const amount = z.bigint().transform((value) => fen(value));

const postingRow = z.object({
  account: z.enum(accountKinds),
  amount: z.string(),
  note: z.string(),
});

const journalRow = z.object({
  id: z.string(),
  key: z.string(),
  kind: z.enum(journalKinds),
  description: z.string(),
  voidsId: z.string().nullable(),
  at: instant,
  postings: z.array(
    postingRow.transform((posting) => ({ ...posting, amount: fen(BigInt(posting.amount)) })),
  ),
});
export type Journal = z.output<typeof journalRow>;

const columns = sql`j.id, j.key, j.kind, j.description, j.voids_id as "voidsId", j.at,
  (select coalesce(jsonb_agg(jsonb_build_object('account', p.account_kind,
      'amount', p.amount::text, 'note', p.note) order by p.line), '[]')
    from posting p where p.tenant_id = j.tenant_id and p.journal_id = j.id) as postings`;

export interface Booking {
  readonly journal: Journal;
  /** False if the fact was booked before; then nothing was written. */
  readonly isNew: boolean;
}

/**
 * Books a journal, once for its key. Throws `conflict` if the key was used for other postings.
 * Whoever takes from the wallet on a condition locks it first (`lockCredit`).
 */
export async function book(
  tx: Tx,
  tenantId: string,
  { draft, at }: { readonly draft: JournalDraft; readonly at: number },
): Promise<Booking> {
  // The lock also lets bookings of one key come one after the other.
  await lockCredit(tx, tenantId);
  const before = await findJournal(tx, tenantId, draft.key);
  if (before !== undefined) {
    if (sameFact(before, draft)) return { journal: before, isNew: false };
    throw new Failure(
      "conflict",
      `${draft.key} is booked already, with other amounts: ${before.description}.`,
      { details: { journalId: before.id } },
    );
  }
  // Ids of one process ascend, so that journals of one millisecond keep their order.
  const id = newId();
  await tx.execute(sql`
    insert into journal (tenant_id, id, key, kind, description, voids_id, at)
    values (${tenantId}, ${id}, ${draft.key}, ${draft.kind}, ${draft.description},
      ${draft.voidsId ?? null}, ${new Date(at)})`);
  const lines = draft.postings.map(
    (posting, index) => sql`(${tenantId}::uuid, ${id}::uuid, ${index + 1}::int, ${posting.account},
      ${posting.amount}::int8, ${posting.note})`,
  );
  await tx.execute(sql`
    insert into posting (tenant_id, journal_id, line, account_kind, amount, note)
    values ${join(lines)}`);
  return {
    isNew: true,
    journal: { ...draft, postings: [...draft.postings], voidsId: draft.voidsId ?? null, id, at },
  };
}

function sameFact(booked: Journal, draft: JournalDraft): boolean {
  return booked.kind === draft.kind && textOf(booked.postings) === textOf(draft.postings);
}

function textOf(postings: JournalDraft["postings"]): string {
  return JSON.stringify(postings.map((each) => [each.account, `${each.amount}`, each.note]));
}

export async function findJournal(
  db: Queryable,
  tenantId: string,
  key: string,
): Promise<Journal | undefined> {
  return db.maybe(
    sql`select ${columns} from journal j where j.tenant_id = ${tenantId} and j.key = ${key}`,
    journalRow,
  );
}

export function listJournals(db: Queryable, tenantId: string, ask: PageAsk): Promise<Journal[]> {
  const position = { at: sql`j.at`, id: sql`j.id` };
  return db.rows(
    sql`select ${columns} from journal j
      where j.tenant_id = ${tenantId} and ${newestFirst(position, ask)}
      order by j.at desc, j.id desc limit ${ask.limit}`,
    journalRow,
  );
}

const accountRow = z.object({ kind: z.enum(accountKinds), balance: amount, provisional: amount });

/** What a tenant has and may spend; all zero before his first journal. */
export async function credit(db: Queryable, tenantId: string): Promise<Credit> {
  const accounts = await db.rows(
    sql`select kind, balance, provisional from account where tenant_id = ${tenantId}`,
    accountRow,
  );
  const of = (kind: "wallet" | "held"): z.output<typeof accountRow> | undefined =>
    accounts.find((each) => each.kind === kind);
  return creditOf({
    wallet: of("wallet")?.balance ?? zeroFen,
    held: of("held")?.balance ?? zeroFen,
    provisional: of("wallet")?.provisional ?? zeroFen,
  });
}

/**
 * The same, with the wallet's row locked until the transaction ends: nobody else can take from it
 * or rate against it meanwhile. Opens the accounts of a tenant who has none.
 */
export async function lockCredit(tx: Tx, tenantId: string): Promise<Credit> {
  const locked = await tx.maybe(
    sql`select kind from account where tenant_id = ${tenantId} and kind = 'wallet' for update`,
    z.object({ kind: z.literal("wallet") }),
  );
  if (locked === undefined) {
    await tx.execute(sql`
      insert into account (tenant_id, kind)
      select ${tenantId}::uuid, kind from unnest(${[...accountKinds]}::text[]) kind
      on conflict do nothing`);
    return lockCredit(tx, tenantId);
  }
  return credit(tx, tenantId);
}

/** Records a payment. The same reference and amount again is harmless, another amount `conflict`. */
export function recordTopUp(
  tx: Tx,
  tenantId: string,
  ask: { readonly reference: string; readonly amount: Fen; readonly at: number },
): Promise<Booking> {
  return book(tx, tenantId, { draft: topUp(ask), at: ask.at });
}

/** Gives back part of what was charged, with the reason that the customer reads. */
export function recordCredit(
  tx: Tx,
  tenantId: string,
  ask: {
    readonly reference: string;
    readonly amount: Fen;
    readonly reason: string;
    readonly at: number;
  },
): Promise<Booking> {
  return book(tx, tenantId, { draft: creditNote(ask), at: ask.at });
}

/**
 * Takes a payment or a credit back, once. Throws `not_found`, and `wrong_state` for other kinds: a
 * hold is released, a charge is given back by a credit, a void stays.
 */
export async function voidJournal(
  tx: Tx,
  tenantId: string,
  ask: { readonly id: string; readonly reason: string; readonly at: number },
): Promise<Booking> {
  await lockCredit(tx, tenantId);
  const found = await tx.maybe(
    sql`select ${columns} from journal j where j.tenant_id = ${tenantId} and j.id = ${ask.id}`,
    journalRow,
  );
  if (found === undefined) throw new Failure("not_found", `There is no journal ${ask.id}.`);
  if (found.kind !== "top_up" && found.kind !== "credit") {
    throw new Failure("wrong_state", `A journal of kind ${found.kind} cannot be voided.`);
  }
  return book(tx, tenantId, { draft: voided({ ...found, reason: ask.reason }), at: ask.at });
}

/** The rater's word for what the wallet will still be charged for days that are not posted. */
export async function setProvisional(tx: Tx, tenantId: string, provisional: Fen): Promise<void> {
  await lockCredit(tx, tenantId);
  await tx.execute(sql`
    update account set provisional = ${provisional}::int8
    where tenant_id = ${tenantId} and kind = 'wallet'
      and provisional <> ${provisional}::int8`);
}

export interface LedgerFinding {
  readonly tenantId: string;
  readonly problem: string;
}

const findingsMax = 100;

/** The nightly check (R-LED-1): everything sums to zero, and each balance is its postings. */
export async function checkLedger(db: Queryable): Promise<LedgerFinding[]> {
  const row = z.object({ tenantId: z.string(), what: z.string(), expected: amount, got: amount });
  const found = await db.rows(
    sql`select * from (
        select a.tenant_id as "tenantId", 'balance of ' || a.kind as what,
          coalesce(sum(p.amount), 0)::int8 as expected, a.balance as got
        from account a left join posting p
          on p.tenant_id = a.tenant_id and p.account_kind = a.kind
        group by a.tenant_id, a.kind, a.balance
        having coalesce(sum(p.amount), 0) <> a.balance
        union all
        select tenant_id, 'sum of journal ' || journal_id, 0::int8, sum(amount)::int8
        from posting group by tenant_id, journal_id having sum(amount) <> 0
      ) finding limit ${findingsMax}`,
    row,
  );
  return found.map(({ tenantId, what, expected, got }) => ({
    tenantId,
    problem: `${what} is ${formatFen(got)}, should be ${formatFen(expected)}`,
  }));
}
