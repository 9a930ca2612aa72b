/** `--month`, or `--from` and `--through`, as many commands about money take them. */
import { z } from "zod";

import { flag } from "./define.ts";

export const periodOptions = z.object({
  month: flag("--month <month>", "such as 2026-05", z.string().optional()),
  from: flag("--from <day>", "first day, such as 2026-05-04", z.string().optional()),
  through: flag("--through <day>", "last day, included", z.string().optional()),
});

interface Period {
  readonly month?: string;
  readonly from?: string;
  readonly through?: string;
}

export function periodQuery(period: z.output<typeof periodOptions>): Period {
  const { month, from, through } = period;
  return {
    ...(month === undefined ? {} : { month }),
    ...(from === undefined ? {} : { from }),
    ...(through === undefined ? {} : { through }),
  };
}
