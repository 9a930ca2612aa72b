/** What was said to a tenant, and alerts to the operator. */
import { z } from "zod";

import { id, timestamp } from "./common.ts";

export const language = z.enum(["en", "zh-CN"]);

export const notice = z.object({
  id,
  kind: z.string(),
  severity: z.enum(["info", "warning", "critical"]),
  /** In the language asked for. */
  text: z.string(),
  data: z.record(z.string(), z.union([z.string(), z.number()])),
  at: timestamp,
  readAt: timestamp.nullable(),
});

export const alert = z.object({
  id,
  key: z.string(),
  kind: z.string(),
  severity: z.enum(["warning", "critical"]),
  tenantId: id.nullable(),
  text: z.string(),
  data: z.record(z.string(), z.union([z.string(), z.number()])),
  raisedAt: timestamp,
  lastSeenAt: timestamp,
  seen: z.number().int(),
  resolvedAt: timestamp.nullable(),
  resolvedBy: z.string().nullable(),
});
