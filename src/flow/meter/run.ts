/**
 * A run of events of one kind out of a batch from outside: each is compared with what came before under
 * its identity, judged, and becomes a row with its leaf and its part of the roll-up, or an answer, or an
 * entry in the list of what somebody must look at.
 */
import { loadPriceBook, pricesOn, type PriceBook } from "#catalog/price-profiles.ts";
import { listedSkus } from "#catalog/sku.ts";
import type { Tx } from "#db/pool.ts";
import { addDays, dayOf, type LocalDay } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { raiseAlert } from "#notices/store.ts";

import { lockUsageAccounts } from "./accounts.ts";
import { Batch, type Candidate } from "./batch.ts";
import { insertEvents, type EventDraft, type KnownLeaf, type Leaves } from "./event-store.ts";
import { factsOf, type Facts } from "./facts.ts";
import { dayFinder, judgeRecorded, type JudgeContext, type Judged } from "./judge.ts";
import { originalsOf, type Originals } from "./originals.ts";
import { accepted, refused, review, type EventOutcome, type ReviewReason } from "./outcome.ts";
import { addReview, roomForReviews } from "./review.ts";

export interface IngestOptions {
  readonly now: number;
  /** What somebody has looked at and wants taken in all the same. */
  readonly waived?: ReadonlySet<ReviewReason>;
  readonly leaves?: Leaves;
}

/** What the events of a run are judged by. */
export interface About {
  /** The canonical text of one, by its place in the batch. */
  readonly textOf: (index: number) => string;
  /** Which of the batch are there, by their places in it, where that was asked already. */
  readonly known: ReadonlyMap<number, KnownLeaf> | undefined;
  readonly context: IngestContext;
}

interface IngestContext extends JudgeContext {
  /** Whether usage of a tenant's day comes too late to be charged (R-LATE-3). */
  readonly isLate: (tenantId: string, day: LocalDay) => boolean;
  readonly leaves: Leaves | undefined;
  /** How much more may wait to be looked at; `undefined` until somebody asks. */
  room: number | undefined;
}

/** Locks the accounts of the tenants. */
export async function contextOf(
  tx: Tx,
  tenants: ReadonlySet<string>,
  { now, waived = new Set(), leaves }: IngestOptions,
): Promise<IngestContext> {
  const accounts = await lockUsageAccounts(tx, [...tenants]);
  const book = await loadPriceBook(tx);
  const oldest = new Map<string, LocalDay>();
  for (const [tenantId, { timeZone }] of accounts) {
    const today = dayOf(timeZone, now);
    const daysMax = pricesOn(book, today)?.profile.late_usage_max_days ?? 0;
    oldest.set(tenantId, addDays(today, -daysMax));
  }
  return {
    now,
    accounts,
    isListed: listedIn(book),
    dayIn: dayFinder(),
    waived,
    isLate: (tenantId, day) => day < (oldest.get(tenantId) ?? day),
    leaves,
    room: undefined,
  };
}

function listedIn(book: PriceBook): (sku: string) => boolean {
  const listed = new Set(book.flatMap(({ profile }) => listedSkus(profile)));
  return (sku) => listed.has(sku);
}

interface Run {
  readonly tx: Tx;
  readonly textOf: About["textOf"];
  readonly context: IngestContext;
  readonly facts: Facts;
  readonly originals: Originals;
  readonly batch: Batch;
}

/** Of one kind: an event that is taken back, and the one in its place, may be in one batch. */
export async function ingestRun(
  tx: Tx,
  candidates: readonly Candidate[],
  { textOf, known, context }: About,
): Promise<ReadonlyMap<number, EventOutcome>> {
  const events = candidates.map(({ event }) => event);
  const facts = await factsOf(tx, events, known && ofRun(known, candidates));
  const retracted = events.flatMap((event) => (event.kind === "retracted" ? [event] : []));
  const originals = await originalsOf(tx, retracted);
  const batch = new Batch(facts);
  const run: Run = { tx, textOf, context, facts, originals, batch };
  const drafts: EventDraft[] = [];
  for (const [place, candidate] of candidates.entries()) {
    const before = batch.before(place, candidate);
    const judged: Judged =
      before === undefined ? judge(run, place, candidate) : { kind: "answer", outcome: before };
    if (judged.kind === "answer") batch.answer(candidate, judged.outcome);
    // oxlint-disable-next-line no-await-in-loop -- one connection; few ever come
    else if (judged.kind === "review") await list(run, candidate, judged.reason);
    // oxlint-disable-next-line no-await-in-loop -- waits only for what is late
    else drafts.push(await take(run, candidate, judged));
  }
  await write(tx, drafts, context);
  await sayConflicts(tx, batch.conflicts, context.now);
  return batch.outcomes;
}

/** By places in the run. */
function ofRun(
  known: ReadonlyMap<number, KnownLeaf>,
  candidates: readonly Candidate[],
): ReadonlyMap<number, KnownLeaf> {
  const ofPlaces = new Map<number, KnownLeaf>();
  if (known.size === 0) return ofPlaces;
  for (const [place, { index }] of candidates.entries()) {
    const leaf = known.get(index);
    if (leaf !== undefined) ofPlaces.set(place, leaf);
  }
  return ofPlaces;
}

function judge(run: Run, place: number, { event, unit }: Candidate): Judged {
  const { facts, batch, context, originals } = run;
  if (event.kind === "retracted") {
    const isFuture = event.at > context.now;
    return isFuture ? { kind: "answer", outcome: refused("future") } : originals.judge(event);
  }
  const overlaps = facts.overlapping.has(place) || batch.overlaps(event);
  return judgeRecorded(
    event,
    { unit, overlaps, isMeteredHere: facts.meteredHere.has(place) },
    context,
  );
}

async function take(
  run: Run,
  candidate: Candidate,
  { use, day }: Pick<EventDraft, "use" | "day">,
): Promise<EventDraft> {
  const { event } = candidate;
  const { batch, context, originals } = run;
  batch.take(candidate);
  const isLate = context.isLate(event.tenantId, day);
  // It is kept, whether or not the list has room for it.
  if (isLate && !context.waived.has("late")) await list(run, candidate, "late", accepted);
  const wasCounted = event.kind === "recorded" || originals.wasCounted(event);
  const { canonical } = candidate;
  return { event, use, day, counted: wasCounted && !isLate, canonical };
}

/** In the list of what somebody must look at, if it has room. */
async function list(
  { tx, textOf, context, batch }: Run,
  candidate: Candidate,
  reason: ReviewReason,
  otherwise: EventOutcome = refused("review_full"),
): Promise<void> {
  context.room ??= await roomForReviews(tx);
  if (context.room === 0) {
    batch.answer(candidate, otherwise);
    return;
  }
  context.room -= 1;
  const text = textOf(candidate.index);
  const state = await addReview(tx, { reason, event: candidate.event, text }, context.now);
  batch.answer(candidate, state === "rejected" ? refused("rejected") : review(reason));
}

async function write(
  tx: Tx,
  drafts: readonly EventDraft[],
  { now, leaves }: IngestContext,
): Promise<void> {
  const written = await insertEvents(tx, drafts, now, leaves);
  if (written === drafts.length) return;
  // The same identity for another tenant, whose account is not locked here, at the same moment.
  throw new Failure("unavailable", "Another sender hands in the same events; send them again.", {
    details: { retryAfterSeconds: 1 },
  });
}

async function sayConflicts(tx: Tx, conflicts: readonly Candidate[], at: number): Promise<void> {
  const bySource = new Map(conflicts.map(({ event: { source, id } }) => [source, id]));
  for (const [source, id] of bySource) {
    // oxlint-disable-next-line no-await-in-loop -- one connection; few ever come
    await raiseAlert(tx, {
      key: `event-conflict:${source}`,
      kind: "event_conflict",
      severity: "critical",
      data: { source, id },
      at,
    });
  }
}
