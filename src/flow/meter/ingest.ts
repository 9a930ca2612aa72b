/**
 * Takes in usage events that other meters hand in: each is checked, compared with what came before
 * under its identity, and becomes a row with its leaf and its part of the roll-up, in the transaction
 * of the caller.
 *
 * What must stay true: each event of a batch is answered by itself, as if it had come alone after
 * those before it; so order, batches and repetition change nothing. Nothing that was taken in is
 * overwritten. The accounts of the tenants are locked first, so what one sender's batch is checked
 * against stays true until it is committed.
 */
import type { Tx } from "#db/pool.ts";
import { present } from "#kernel/assert.ts";

import type { Candidate } from "./batch.ts";
import { isLeafOf } from "./event-store.ts";
import { meterSource } from "./event.ts";
import { knownOf } from "./facts.ts";
import { duplicate, refused, type EventOutcome } from "./outcome.ts";
import type { ParsedEvent } from "./parse.ts";
import { contextOf, ingestRun, type About, type IngestOptions } from "./run.ts";
import { readCanonical, type Sent, type SentText } from "./sent.ts";

/** One answer for each, in order. */
export async function ingestEvents(
  tx: Tx,
  sent: Sent,
  options: IngestOptions,
): Promise<EventOutcome[]> {
  const tenants = sent.parsed.flatMap((each) => (each.kind === "event" ? each.event.tenantId : []));
  const context = await contextOf(tx, new Set(tenants), options);
  const answers = new Answers(sent.parsed.length);
  for (const [index, parsed] of sent.parsed.entries()) answers.read(index, parsed, undefined);
  return answers.complete(tx, { textOf: sent.textOf, known: undefined, context });
}

/**
 * The same, of texts that look like the canonical ones of events. What was taken in with the same bytes
 * before is answered without being read. `undefined`, and nothing done, where a text is of no event.
 */
export async function ingestTexts(
  tx: Tx,
  texts: readonly SentText[],
  options: IngestOptions,
): Promise<EventOutcome[] | undefined> {
  const context = await contextOf(tx, new Set(texts.map(({ tenantId }) => tenantId)), options);
  const known = await knownOf(tx, texts);
  const answers = new Answers(texts.length);
  for (const [index, { text, source }] of texts.entries()) {
    const leaf = known.get(index);
    if (leaf !== undefined && source !== meterSource && isLeafOf(text, leaf)) {
      answers.outcomes[index] = duplicate;
      continue;
    }
    const parsed = readCanonical(text);
    if (parsed === undefined) return undefined;
    answers.read(index, parsed, text);
  }
  const textOf = (index: number): string => present(texts[index], "a text of the batch").text;
  return answers.complete(tx, { textOf, known, context });
}

/** Of a batch, while it is gone through; what has no answer yet stands in runs of one kind. */
class Answers {
  readonly outcomes: (EventOutcome | undefined)[];
  readonly #runs: Candidate[][] = [];

  constructor(length: number) {
    this.outcomes = Array.from({ length });
  }

  read(index: number, parsed: ParsedEvent, canonical: string | undefined): void {
    if (parsed.kind === "malformed") {
      this.outcomes[index] = refused("malformed", parsed.path === "" ? "" : ` See ${parsed.path}.`);
      return;
    }
    const { event, unit } = parsed;
    if (event.source === meterSource) {
      this.outcomes[index] = refused("reserved_source");
      return;
    }
    const candidate = { index, event, unit, canonical };
    const run = this.#runs.at(-1);
    if (run?.[0]?.event.kind === event.kind) run.push(candidate);
    else this.#runs.push([candidate]);
  }

  async complete(tx: Tx, about: About): Promise<EventOutcome[]> {
    for (const [place, run] of this.#runs.entries()) {
      // What a run takes in, those after it know from the database.
      const known = place === 0 ? about.known : undefined;
      // oxlint-disable-next-line no-await-in-loop -- what comes later may rest on what came before
      for (const [index, outcome] of await ingestRun(tx, run, { ...about, known })) {
        this.outcomes[index] = outcome;
      }
    }
    return this.outcomes.map((outcome) => present(outcome, "an answer for each event of a batch"));
  }
}
