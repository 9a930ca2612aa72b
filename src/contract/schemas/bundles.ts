import { z } from "zod";

import { money } from "./common.ts";

const said = z.object({ en: z.string(), "zh-CN": z.string() });

/** A month's bill, made again from its events and compared with the one that is stored. */
export const replay = z.object({
  month: z.string(),
  state: z.enum(["final", "provisional"]),
  invoice: z.string().nullable(),
  /** Nothing at all differs; the SHA-256 are the same then. */
  isSame: z.boolean(),
  total: money,
  lines: z.number().int(),
  events: z.number().int(),
  storedSha256: z.string(),
  /** `null` where the events make no bill at all. */
  replayedSha256: z.string().nullable(),
  differenceCount: z.number().int(),
  /** The first ones, nearest to the cause first. */
  differences: z.array(z.object({ code: z.string(), place: z.string(), message: said })),
  /** What the events cannot show. */
  notes: z.array(z.object({ code: z.string(), message: said })),
});
