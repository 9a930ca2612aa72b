/** Near to what and apart from what: the same options for leases and jobs, and how it is shown. */
import { z } from "zod";

import { flag, manyFlag } from "./define.ts";

export const besideOptions = {
  group: flag(
    "--group <name>",
    "a name under which your other work can keep near to it or apart from it",
    z.string().optional(),
  ),
  near: manyFlag(
    "--near <group>",
    "on the host of something in this group, or of this lease or job (its id); may be repeated",
    z.array(z.string()).default([]),
  ),
  apart: manyFlag(
    "--apart <group>",
    "on no host of anything in this group, or of this lease or job (its id); may be repeated",
    z.array(z.string()).default([]),
  ),
};

const said = z.object({
  group: z.string().optional(),
  near: z.array(z.string()),
  apart: z.array(z.string()),
});

/** Of a body, what was said. */
export function besideOf({ group, near, apart }: z.output<typeof said>): {
  readonly group?: string;
  readonly near?: string[];
  readonly apart?: string[];
} {
  return {
    ...(group === undefined ? {} : { group }),
    ...(near.length === 0 ? {} : { near }),
    ...(apart.length === 0 ? {} : { apart }),
  };
}

export function besideFields(shown: {
  readonly group: string | null;
  readonly near: readonly string[];
  readonly apart: readonly string[];
}): [string, string | undefined][] {
  return [
    ["Group", shown.group ?? undefined],
    ["Near", shown.near.length === 0 ? undefined : shown.near.join(", ")],
    ["Apart", shown.apart.length === 0 ? undefined : shown.apart.join(", ")],
  ];
}
