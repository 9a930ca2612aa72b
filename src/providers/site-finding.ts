/**
 * A finding of a site as it is kept: JSON in `site.findings` (0208), written by the catalog and read by the
 * program and by `doctor`. That one may stand before a database that an older program wrote, so a field
 * that is added later is optional here.
 */
import { z } from "zod";

import type { SiteFinding } from "./provider.ts";

export const siteFinding: z.ZodType<SiteFinding> = z.object({
  severity: z.enum(["warning", "problem"]),
  message: z.string(),
  advice: z.string(),
});
