/** What the installation says of itself: sites, loops, findings, readiness. */
import { z } from "zod";

import type { SystemView } from "#api/services.ts";
import { awaySince, isKept } from "#catalog/sites.ts";
import { site as siteSchema, type system as systemSchema } from "#contract/schemas/platform.ts";
import type { Db } from "#db/pool.ts";
import { sql, type Sql } from "#db/sql.ts";
import type { Loop } from "#loops/loop.ts";
import { siteFinding } from "#providers/site-finding.ts";

import type { SiteLook } from "./sites.ts";
import { waitsNow } from "./waits.ts";

type Finding = z.output<typeof systemSchema>["findings"][number];

const siteRow = z
  .object({
    name: z.string(),
    kind: z.string(),
    version: z.string(),
    execution: z.enum(["kvm", "emulated", "simulated"]),
    execution_reason: z.string(),
    capabilities: siteSchema.shape.capabilities,
    reachable: z.boolean(),
    away_since: z.date().nullable(),
    inventory_at: z.date().nullable(),
  })
  .transform((row) => ({
    site: row.name,
    kind: row.kind,
    version: row.version,
    execution: row.execution,
    executionReason: row.execution_reason,
    capabilities: row.capabilities,
    reachable: row.reachable && row.away_since === null,
    awaySince: row.away_since?.toISOString() ?? null,
    inventoryAt: row.inventory_at?.toISOString() ?? null,
  }));

const lacksRow = z.object({
  name: z.string(),
  reachable: z.boolean(),
  away_since: z.date().nullable(),
  execution: z.string(),
  execution_reason: z.string(),
  trouble: z.string().nullable(),
  findings: z.array(siteFinding),
});

type LacksRow = z.output<typeof lacksRow>;

function siteRows(at: number): Sql {
  return sql`select *, ${awaySince(sql`site`, at)} as away_since from site
    where ${isKept(sql`site`)} order by name`;
}

/** What is wrong with each platform: that it does not answer, what it lacks, how it runs. */
async function siteFindings(db: Db, at: number): Promise<Finding[]> {
  const sites = await db.rows(siteRows(at), lacksRow);
  return sites.flatMap((site): Finding[] => {
    const { name } = site;
    return [
      ...notSeen(site),
      ...site.findings.map(({ severity, message, advice }) => ({
        severity,
        site: name,
        message,
        advice,
      })),
      ...(site.execution === "emulated"
        ? [
            {
              severity: "warning" as const,
              site: null,
              message: `Machines of the site ${name} are emulated and slow: ${site.execution_reason}`,
              advice: null,
            },
          ]
        : []),
    ];
  });
}

function notSeen({ name, reachable, trouble, away_since: since }: LacksRow): Finding[] {
  const away =
    since === null
      ? ""
      : ` It has been away since ${since.toISOString()}: nothing new is placed there, and what it runs is shown as it was.`;
  if (!reachable) {
    const says =
      trouble === null
        ? `The site ${name} does not answer.`
        : `The site ${name} cannot be used: ${trouble}`;
    return [{ ...problem(`${says}${away}`), advice: since === null ? null : forGood(name) }];
  }
  if (since === null) return [];
  return [
    {
      severity: "problem",
      site: null,
      message: `No process looks at the site ${name}.${away}`,
      advice: `Start a process that works (--role work or all) and has it among its clusters. ${forGood(name)}`,
    },
  ];
}

function forGood(site: string): string {
  return `If it is gone for good, take it out of the settings; then: millrace site retire ${site}`;
}

function problem(message: string): Finding {
  return { severity: "problem", site: null, message, advice: null };
}

/** A loop that has not ended a pass for so many of its periods is stuck. */
const stuckPeriods = 10;
const stuckMsMin = 60_000;

export function systemView(context: {
  readonly db: Db;
  readonly loops: readonly Loop[];
  /** The sites that this process is connected to, as the first look showed them. */
  readonly looks: readonly SiteLook[];
  /** What else stands in the way here, as sentences. */
  readonly troubles: () => readonly string[];
  readonly version: string;
  readonly startedAt: number;
  readonly now: () => number;
}): SystemView {
  const sites = (): Promise<z.output<typeof siteSchema>[]> =>
    context.db.rows(siteRows(context.now()), siteRow);
  const neverSeen = async (): Promise<SiteLook[]> => {
    const seen = new Set((await sites()).map(({ site }) => site));
    return context.looks.filter(
      ({ site, execution }) => execution === undefined && !seen.has(site),
    );
  };
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
    waits: () => waitsNow(context.db, context.now()),
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
      ...context.troubles().map(problem),
      ...stuck().map(({ name, reason }) =>
        problem(`The loop ${name} does not do its work: ${reason}`),
      ),
      ...(await neverSeen()).map(({ site, reason }) =>
        problem(`The site ${site} has not answered yet: ${reason}`),
      ),
      ...(await siteFindings(context.db, context.now())),
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
        ...context.looks.map(({ site, execution, reason }) => {
          const inventoryAt = seen.find((each) => each.site === site)?.inventoryAt ?? null;
          if (inventoryAt !== null) {
            return { name: `site ${site}`, ok: true, detail: `seen ${inventoryAt}` };
          }
          // What did not answer at the start keeps nobody from using the rest.
          const isAway = execution === undefined;
          const detail = isAway ? `not seen yet: ${reason}` : "not seen yet";
          return { name: `site ${site}`, ok: isAway, detail };
        }),
      ];
    },
  };
}

function time(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
