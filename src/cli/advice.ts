/** What to do about it, and who can: of a reason that says so, and of what else to know of a machine. */
import { note, type Lease } from "#contract/schemas/compute.ts";
import type { Reason } from "#contract/schemas/common.ts";

import { safe } from "./text.ts";

type Fields = readonly (readonly [string, string])[];

const whoCan: Readonly<Record<Lease["notes"][number]["who"], string>> = {
  customer: "you",
  operator: "the operator",
  nobody: "nobody has to, it goes by itself",
};

const told = note.pick({ advice: true, who: true });

export function adviceFields(reason: Reason | null): Fields {
  const said = told.safeParse(reason?.details);
  if (!said.success) return [];
  const { advice, who } = said.data;
  return [
    ["What to do", safe(advice)],
    ["Who can", whoCan[who]],
  ];
}

export function noteFields(notes: Lease["notes"]): Fields {
  return notes.map(({ message, advice }) => ["Note", safe(`${message} ${advice}`)]);
}
