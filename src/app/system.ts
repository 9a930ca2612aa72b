/** What the installation says of itself: sites, loops, findings, readiness. */
import { z } from "zod";

import type { SystemView } from "#api/services.ts";
import { site as siteSchema } from "#contract/schemas/platform.ts";
import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import type { Loop } from "#loops/loop.ts";

const siteRow = z
  .object({
    name: z.string(),
    kind: z.string(),
    version: z.string(),
    execution: z.enum(["kvm", "emulated", "simulated"]),
    execution_reason: z.string(),
    capabilities: siteSchema.shape.capabilities,
    reachable: z.boolean(),
    inventory_at: z.date().nullable(),
  })
  .transform((row) => ({
    site: row.name,
    kind: row.kind,
    version: row.version,
    execution: row.execution,
    executionReason: row.execution_reason,
    capabilities: row.capabilities,
    reachable: row.reachable,
    inventoryAt: row.inventory_at?.toISOString() ?? null,
  }));

/** A loop that has not ended a pass for so many of its periods is stuck. */
const stuckPeriods = 10;
const stuckMsMin = 60_000;

export function systemView(context: {
  readonly db: Db;
  readonly loops: readonly Loop[];
  /** The sites that this process is connected to. */
  readonly siteNames: readonly string[];
  /** What else stands in the way here, as sentences. */
  readonly troubles: () => readonly string[];
  readonly version: string;
  readonly startedAt: number;
  readonly now: () => number;
}): SystemView {
  const sites = (): Promise<z.output<typeof siteSchema>[]> =>
    context.db.rows(sql`select * from site order by name`, siteRow);
  const stuck = (): { name: string; reason: string }[] =>
    context.loops.flatMap((loop) => {
      const { name, periodMs, lastStartedAt, lastEndedAt, lastError, failuresInRow } =
        loop.status();
      const since = lastEndedAt ?? lastStartedAt ?? context.startedAt;
      const limit = Math.max(stuckMsMin, periodMs * stuckPeriods);
      if (context.now() - since > limit) {
        return [{ name, reason: `no pass ended for ${Math.round(limit / 1000)} s` }];
      }
      if (lastError === null) return [];
      const times = failuresInRow > 1 ? ` (${failuresInRow} times in a row)` : "";
      return [{ name, reason: `${lastError}${times}` }];
    });
  return {
    version: context.version,
    startedAt: context.startedAt,
    sites,
    loops: () =>
      context.loops.map((loop) => {
        const { lastStartedAt, lastEndedAt, failingSince, ...rest } = loop.status();
        return {
          ...rest,
          lastStartedAt: time(lastStartedAt),
          lastEndedAt: time(lastEndedAt),
          failingSince: time(failingSince),
        };
      }),
    findings: async () => [
      ...context.troubles().map((message) => ({ severity: "problem" as const, message })),
      ...stuck().map(({ name, reason }) => ({
        severity: "problem" as const,
        message: `The loop ${name} does not do its work: ${reason}`,
      })),
      ...(await sites())
        .filter((site) => !site.reachable)
        .map((site) => ({
          severity: "problem" as const,
          message: `The site ${site.site} does not answer.`,
        })),
      ...(await sites())
        .filter((site) => site.execution === "emulated")
        .map((site) => ({
          severity: "warning" as const,
          message: `Machines of the site ${site.site} are emulated and slow: ${site.executionReason}`,
        })),
    ],
    checks: async () => {
      const seen = await sites();
      return [
        ...context.loops.map((loop) => {
          const found = stuck().find(({ name }) => name === loop.status().name);
          return {
            name: `loop ${loop.status().name}`,
            ok: found === undefined,
            detail: found?.reason ?? "passes end",
          };
        }),
        ...context.siteNames.map((name) => {
          const inventoryAt = seen.find(({ site }) => site === name)?.inventoryAt ?? null;
          const ok = inventoryAt !== null;
          return { name: `site ${name}`, ok, detail: ok ? `seen ${inventoryAt}` : "not seen yet" };
        }),
      ];
    },
  };
}

function time(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
