/**
 * What a platform says of a machine in words: why it does not run, what to know of it besides. It is
 * kept beside the instance as it is now, and told as an event when it becomes something else. Pure.
 */
import { z } from "zod";

import type { Reason } from "#kernel/reason.ts";
import type { Machine, Remark } from "#providers/provider.ts";

import type { EventNote, InstanceView } from "./view.ts";

const detailsRow = z.record(z.string(), z.unknown());

export const remarkRow: z.ZodType<Remark> = z.object({
  code: z.string(),
  message: z.string(),
  advice: z.string(),
  who: z.enum(["customer", "operator", "nobody"]),
  details: detailsRow.exactOptional(),
});

export interface Remarks {
  readonly waiting: Remark | null;
  readonly notes: readonly Remark[];
}

/** A platform's words may be of any length; what is kept and shown is not. */
const charactersMax = 1000;
const detailsCharactersMax = 4000;
const notesMax = 10;
/** A cause that comes and goes is told no more often than that. */
export const toldAgainMs = 60_000;

export function remarksOf({ waiting, notes = [] }: Machine): Remarks {
  return {
    waiting: waiting === undefined ? null : bounded(waiting),
    notes: notes.slice(0, notesMax).map(bounded),
  };
}

function bounded({ code, message, advice, who, details }: Remark): Remark {
  const text = JSON.stringify(details ?? {});
  return {
    code: cut(code),
    message: cut(message),
    advice: cut(advice),
    who,
    // As it will be read back, so that the next look can tell that it is the same.
    ...(details === undefined || text.length > detailsCharactersMax
      ? {}
      : { details: detailsRow.parse(JSON.parse(text)) }),
  };
}

function cut(text: string): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`;
}

/** Of what was not so at the last look. A note that goes by itself is shown, and no event. */
export function remarkEvents(
  before: Pick<InstanceView, "waiting" | "notes">,
  { waiting, notes }: Remarks,
  at: number,
): readonly EventNote[] {
  const known = new Set(before.notes.map(({ code }) => code));
  const isNew = waiting !== null && waiting.code !== before.waiting?.code;
  return [
    ...(isNew ? [eventOf("waiting", waiting, at)] : []),
    ...notes
      .filter(({ code, who }) => who !== "nobody" && !known.has(code))
      .map((note) => eventOf("note", note, at)),
  ];
}

function eventOf(kind: string, { code, message, advice, who }: Remark, at: number): EventNote {
  return { kind, at, message, details: { code, advice, who }, sparseMs: toldAgainMs };
}

/** As the API shows why something is as it is: what to do, and who can, are among the details. */
export function reasonOfRemark({ code, message, advice, who, details }: Remark): Reason {
  return { code, message, details: { ...details, advice, who } };
}
