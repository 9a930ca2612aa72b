/** Near to what, apart from what, as rows have it and as its owner said it. */
import { z } from "zod";

export const besideRow = {
  group_name: z.string().nullable(),
  near: z.array(z.string()),
  apart: z.array(z.string()),
  near_groups: z.array(z.string()),
  apart_groups: z.array(z.string()),
};

const row = z.object(besideRow);

export function shownBeside(of: z.output<typeof row>): {
  readonly group: string | null;
  readonly near: string[];
  readonly apart: string[];
} {
  return {
    group: of.group_name,
    near: [...of.near_groups, ...of.near],
    apart: [...of.apart_groups, ...of.apart],
  };
}
