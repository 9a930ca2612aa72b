/**
 * Rows of `journal` and `posting`. What must stay true: a journal is written whole or not at all
 * and once for its key, whoever books it how often.
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { assert, present } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";
import { fen, type Fen } from "#kernel/money.ts";

import { lockCredit } from "./accounts.ts";
import { creditNote, isSameFact, topUp, voided } from "./decide.ts";
import { accountKinds, journalKinds, type JournalDraft } from "./journal.ts";

const postingRow = z
  .object({
    account: z.enum(accountKinds),
    subject: z.string(),
    amount: z.string(),
    note: z.string(),
  })
  .transform((posting) => ({ ...posting, amount: fen(BigInt(posting.amount)) }));

export const journalRow = z.object({
  id: z.string(),
  key: z.string(),
  kind: z.enum(journalKinds),
  description: z.string(),
  voidsId: z.string().nullable(),
  at: instant,
  postings: z.array(postingRow),
});
export type Journal = z.output<typeof journalRow>;

export const journalColumns = sql`j.id, j.key, j.kind, j.description, j.voids_id as "voidsId", j.at,
  (select coalesce(jsonb_agg(jsonb_build_object('account', p.account_kind,
      'subject', p.account_subject, 'amount', p.amount::text, 'note', p.note) order by p.line), '[]')
    from posting p where p.tenant_id = j.tenant_id and p.journal_id = j.id) as postings`;

export interface Booking {
  readonly journal: Journal;
  /** False if the fact was booked before; then nothing was written. */
  readonly isNew: boolean;
}

export interface ToBook {
  readonly draft: JournalDraft;
  /** When the fact happened, in epoch milliseconds. */
  readonly at: number;
}

/**
 * Books a journal, once for its key. Throws `conflict` if the key was used for another fact; how an
 * amount was split between wallet and receivable is no part of it (`isSameFact`). Whoever takes from
 * the wallet on a condition locks it first (`lockCredit`).
 */
export async function book(tx: Tx, tenantId: string, ask: ToBook): Promise<Booking> {
  const [booking] = await bookAll(tx, tenantId, [ask]);
  return present(booking, "the booking");
}

/** The same for several facts, in order, with as many statements as for one. */
export async function bookAll(
  tx: Tx,
  tenantId: string,
  asks: readonly ToBook[],
): Promise<Booking[]> {
  // The lock also lets bookings of one key come one after the other.
  await lockCredit(tx, tenantId);
  const keys = asks.map(({ draft }) => draft.key);
  assert(new Set(keys).size === keys.length, "the facts of one booking have keys of their own");
  const before = new Map((await findJournals(tx, tenantId, keys)).map((each) => [each.key, each]));
  const bookings = asks.map(({ draft, at }): Booking => {
    const known = before.get(draft.key);
    if (known === undefined) return { journal: journalOf(draft, at), isNew: true };
    if (isSameFact(known, draft)) return { journal: known, isNew: false };
    throw new Failure(
      "conflict",
      `${draft.key} is booked already, with other amounts: ${known.description}.`,
      { details: { journalId: known.id } },
    );
  });
  const fresh = bookings.filter(({ isNew }) => isNew).map(({ journal }) => journal);
  if (fresh.length > 0) await insert(tx, tenantId, fresh);
  return bookings;
}

/**
 * Books facts that nobody can have booked yet, such as what belongs to a row that this transaction
 * makes. The caller has locked the wallet.
 */
export async function bookNew(tx: Tx, tenantId: string, asks: readonly ToBook[]): Promise<void> {
  await insert(
    tx,
    tenantId,
    asks.map(({ draft, at }) => journalOf(draft, at)),
  );
}

/** Ids of one process ascend, so that journals of one millisecond keep their order. */
function journalOf(draft: JournalDraft, at: number): Journal {
  const { voidsId = null, postings, ...rest } = draft;
  return { ...rest, voidsId, postings: [...postings], id: newId(), at };
}

async function insert(tx: Tx, tenantId: string, journals: readonly Journal[]): Promise<void> {
  await tx.execute(sql`
    insert into journal (tenant_id, id, key, kind, description, voids_id, at)
    select ${tenantId}::uuid, * from unnest(${journals.map(({ id }) => id)}::uuid[],
      ${journals.map(({ key }) => key)}::text[], ${journals.map(({ kind }) => kind)}::text[],
      ${journals.map(({ description }) => description)}::text[],
      ${journals.map(({ voidsId }) => voidsId)}::uuid[],
      ${journals.map(({ at }) => new Date(at))}::timestamptz[])`);
  const lines = journals.flatMap(({ id, postings }) =>
    postings.map((posting, index) => ({ ...posting, id, line: index + 1 })),
  );
  await tx.execute(sql`
    insert into posting
      (tenant_id, journal_id, line, account_kind, account_subject, amount, note)
    select ${tenantId}::uuid, * from unnest(${lines.map(({ id }) => id)}::uuid[],
      ${lines.map(({ line }) => line)}::int[], ${lines.map(({ account }) => account)}::text[],
      ${lines.map(({ subject }) => subject)}::text[],
      ${lines.map((each) => `${each.amount}`)}::int8[], ${lines.map(({ note }) => note)}::text[])`);
}

export async function findJournal(
  db: Queryable,
  tenantId: string,
  key: string,
): Promise<Journal | undefined> {
  return (await findJournals(db, tenantId, [key]))[0];
}

function findJournals(
  db: Queryable,
  tenantId: string,
  keys: readonly string[],
): Promise<Journal[]> {
  return db.rows(
    sql`select ${journalColumns} from journal j
      where j.tenant_id = ${tenantId} and j.key = any(${[...keys]}::text[])`,
    journalRow,
  );
}

export function listJournals(db: Queryable, tenantId: string, ask: PageAsk): Promise<Journal[]> {
  const position = { at: sql`j.at`, id: sql`j.id` };
  return db.rows(
    sql`select ${journalColumns} from journal j
      where j.tenant_id = ${tenantId} and ${newestFirst(position, ask)}
      order by j.at desc, j.id desc limit ${ask.limit}`,
    journalRow,
  );
}

/**
 * Records a payment; what is owed is settled first. The same reference and amount again is harmless,
 * another amount `conflict`.
 */
export async function recordTopUp(
  tx: Tx,
  tenantId: string,
  ask: { readonly reference: string; readonly amount: Fen; readonly at: number },
): Promise<Booking> {
  const purse = await lockCredit(tx, tenantId);
  return book(tx, tenantId, { draft: topUp({ ...ask, purse }), at: ask.at });
}

/** Gives back part of what was charged, with the reason that the customer reads. */
export async function recordCredit(
  tx: Tx,
  tenantId: string,
  ask: {
    readonly reference: string;
    readonly amount: Fen;
    readonly reason: string;
    readonly at: number;
  },
): Promise<Booking> {
  const purse = await lockCredit(tx, tenantId);
  return book(tx, tenantId, { draft: creditNote({ ...ask, purse }), at: ask.at });
}

/**
 * Takes a payment, a credit or a payout back, once. Throws `not_found`, and `wrong_state` for other
 * kinds: a hold is released, a charge is given back by a credit, a void stays.
 */
export async function voidJournal(
  tx: Tx,
  tenantId: string,
  ask: { readonly id: string; readonly reason: string; readonly at: number },
): Promise<Booking> {
  const purse = await lockCredit(tx, tenantId);
  const found = await tx.maybe(
    sql`select ${journalColumns} from journal j where j.tenant_id = ${tenantId} and j.id = ${ask.id}`,
    journalRow,
  );
  if (found === undefined) throw new Failure("not_found", `There is no journal ${ask.id}.`);
  if (!["top_up", "credit", "payout"].includes(found.kind)) {
    throw new Failure("wrong_state", `A journal of kind ${found.kind} cannot be voided.`);
  }
  return book(tx, tenantId, { draft: voided({ ...found, reason: ask.reason, purse }), at: ask.at });
}
