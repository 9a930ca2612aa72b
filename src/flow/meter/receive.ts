/**
 * A body of usage events as somebody sends it. One that was taken in whole, each event of it, is
 * remembered by its digest in the same transaction: a sender who did not hear the answer, and sends the
 * same bytes again, is answered without reading them.
 *
 * What must stay true: what is answered from that is what would be answered without it. Events are never
 * removed, so those of such a body are duplicates for ever; bodies in which anything was refused, held
 * or in conflict are read each time.
 */
import { hash } from "node:crypto";

import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

import { ingestEvents, ingestTexts } from "./ingest.ts";
import { accepted, duplicate, type EventOutcome } from "./outcome.ts";
import type { IngestOptions } from "./run.ts";
import { canonicalTexts, sentValues } from "./sent.ts";

export interface UsageBody {
  readonly bytes: Buffer;
  readonly text: string;
  /** Its JSON, where it is not plainly canonical; throws where it is no list that may be sent. */
  readonly parse: () => readonly unknown[];
  readonly eventsMax: number;
}

const rememberedMs = 14 * 86_400_000;
const forgottenPerBody = 4;

/** One answer for each event, in order. */
export async function receiveUsage(
  tx: Tx,
  { bytes, text, parse, eventsMax }: UsageBody,
  options: IngestOptions,
): Promise<EventOutcome[]> {
  const digest = hash("sha256", bytes, "buffer");
  const known = await tx.maybe(
    sql`select events from usage_batch where digest = ${digest}`,
    z.object({ events: z.int() }),
  );
  if (known !== undefined) return Array.from({ length: known.events }, () => duplicate);
  const texts = canonicalTexts(text, eventsMax);
  const outcomes =
    (texts && (await ingestTexts(tx, texts, options))) ??
    (await ingestEvents(tx, sentValues(parse()), options));
  if (outcomes.every((each) => each === accepted || each === duplicate)) {
    await remember(tx, { digest, events: outcomes.length, at: options.now });
  }
  return outcomes;
}

async function remember(
  tx: Tx,
  { digest, events, at }: { readonly digest: Buffer; readonly events: number; readonly at: number },
): Promise<void> {
  await tx.execute(sql`
    with forgotten as (
      delete from usage_batch where digest in (
        select digest from usage_batch where received_at < ${new Date(at - rememberedMs)}
        order by received_at limit ${forgottenPerBody} for update skip locked)
    )
    insert into usage_batch (digest, events, received_at)
    values (${digest}, ${events}, ${new Date(at)}) on conflict do nothing`);
}
