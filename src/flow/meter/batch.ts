/**
 * What is known while a batch is gone through: what each event met under its identity, in the
 * database or earlier in the batch, and what spans the batch has taken already. Pure.
 */
import { isLeafOf } from "./event-store.ts";
import { canonicalText, unitOf, type RecordedEvent, type UsageEvent } from "./event.ts";
import type { Facts } from "./facts.ts";
import { accepted, conflict, duplicate, type EventOutcome } from "./outcome.ts";

export interface Candidate {
  /** In the batch. */
  readonly index: number;
  readonly event: UsageEvent;
  /** As the sender says it. */
  readonly unit: string | undefined;
  /** Its canonical text, where that is what was sent. */
  readonly canonical: string | undefined;
}

interface Span {
  readonly from: number;
  readonly until: number;
}

export class Batch {
  readonly outcomes = new Map<number, EventOutcome>();
  readonly conflicts: Candidate[] = [];
  readonly #facts: Facts;
  /** By identity, those that were taken. */
  readonly #taken = new Map<string, Candidate>();
  readonly #spans = new Map<string, Span[]>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** What it is answered if its identity was taken before: by the same bytes, or by others. */
  before(place: number, candidate: Candidate): EventOutcome | undefined {
    const known = this.#facts.known.get(place);
    if (known !== undefined) {
      const isSame =
        hasOwnUnit(candidate) &&
        isLeafOf(candidate.canonical ?? canonicalText(candidate.event), known);
      return isSame ? duplicate : conflict;
    }
    const earlier = this.#taken.get(identityOf(candidate.event));
    if (earlier === undefined) return undefined;
    const isSame =
      hasOwnUnit(candidate) && canonicalText(candidate.event) === canonicalText(earlier.event);
    return isSame ? duplicate : conflict;
  }

  answer(candidate: Candidate, outcome: EventOutcome): void {
    this.outcomes.set(candidate.index, outcome);
    if (outcome === conflict) this.conflicts.push(candidate);
  }

  take(candidate: Candidate): void {
    const { event } = candidate;
    this.#taken.set(identityOf(event), candidate);
    this.outcomes.set(candidate.index, accepted);
    if (event.kind === "retracted") return;
    const key = resourceOf(event);
    const spans = this.#spans.get(key);
    if (spans === undefined) this.#spans.set(key, [event]);
    else spans.push(event);
  }

  overlaps({ from, until, ...event }: RecordedEvent): boolean {
    const spans = this.#spans.get(resourceOf(event));
    return spans !== undefined && spans.some((span) => span.from < until && from < span.until);
  }
}

function identityOf({ source, id }: UsageEvent): string {
  return `${source}\n${id}`;
}

function resourceOf({ instanceId, sku }: Pick<RecordedEvent, "instanceId" | "sku">): string {
  return `${instanceId} ${sku}`;
}

/** What was taken has the unit of its SKU. */
function hasOwnUnit({ event, unit }: Candidate): boolean {
  return event.kind === "retracted" || (unit !== undefined && unit === unitOf(event.sku));
}
