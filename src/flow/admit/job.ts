/** What a job asks to run, checked, in the form that travels with the request. */
import { z } from "zod";

import type { BodyOf } from "#contract/operation.ts";
import type { Operations } from "#contract/operations.ts";
import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";
import { gibibyte, type Shape } from "#kernel/shape.ts";
import type { FileKey } from "#storage/disk.ts";
import { holdFiles, type StoredFile } from "#storage/files.ts";

import type { Workload } from "./rows.ts";

export type JobAsk = BodyOf<Operations["createJob"]>;

/** The file in the work directory that a job's script becomes. */
export const scriptName = "script";
/** Where a program leaves what is to be kept; the guest makes it in the work directory. */
const resultsName = "results";
/** Names that the platform sets itself in a job's environment. */
const reservedPrefix = "MILLRACE_";

/**
 * The files that jobs name as inputs, by id; one that the tenant does not have is missing. They cannot
 * be removed before `tx` ends; after it, the requests keep them.
 */
export async function inputsOf(
  tx: Tx,
  tenantId: string,
  asks: readonly JobAsk[],
): Promise<ReadonlyMap<string, StoredFile>> {
  const ids = [...new Set(asks.flatMap(({ inputs }) => inputs))];
  const files = ids.length === 0 ? [] : await holdFiles(tx, tenantId, ids);
  return new Map(files.map((file) => [file.id, file]));
}

/** Throws `not_found` for inputs that are not there, and `rule_violation` for what could not run. */
export function workloadOf(
  ask: JobAsk,
  shape: Shape,
  given: {
    readonly inputs: ReadonlyMap<string, StoredFile>;
    /** The longest that the operator allows, and what holds for who says nothing. */
    readonly timeLimitSecondsMax: number;
  },
): Workload {
  const { timeLimitSeconds = given.timeLimitSecondsMax } = ask;
  requireLimit(timeLimitSeconds, given.timeLimitSecondsMax);
  const { expectedSeconds, deadline } = ask;
  if (expectedSeconds !== undefined && expectedSeconds > timeLimitSeconds) {
    throw new Failure(
      "rule_violation",
      `It is expected to take ${expectedSeconds} s and may run for ${timeLimitSeconds} s at most.`,
      { details: { expectedSeconds, timeLimitSeconds } },
    );
  }
  const reserved = Object.keys(ask.environment).filter((name) => name.startsWith(reservedPrefix));
  if (reserved.length > 0) {
    throw new Failure(
      "rule_violation",
      `Environment names that begin with ${reservedPrefix} are the platform's own: ${reserved.join(", ")}.`,
      { details: { reserved } },
    );
  }
  if (ask.members > 1) requireOwnRanks(ask.environment);
  const ids = [...new Set(ask.inputs)];
  const files = filesOf(ids, given.inputs);
  requireNames(files, ask.script !== undefined);
  requireRoom(files, shape);
  return {
    command: ask.script === undefined ? (ask.command ?? []) : [`./${scriptName}`],
    script: ask.script ?? null,
    environment: ask.environment,
    inputs: ids,
    framework: ask.framework,
    timeLimitSeconds,
    ...(expectedSeconds === undefined ? {} : { expectedSeconds }),
    ...(deadline === undefined ? {} : { deadline }),
    platformRetriesMax: ask.platformRetriesMax,
    preemptible: ask.preemptible,
    checkpoint: ask.checkpoint ?? null,
  };
}

/** What says a member of a gang who it is, as torchrun and its like read it. */
export const gangVariables = [
  "RANK",
  "WORLD_SIZE",
  "LOCAL_RANK",
  "LOCAL_WORLD_SIZE",
  "NODE_RANK",
  "NNODES",
  "MASTER_ADDR",
  "MASTER_PORT",
] as const;

function requireOwnRanks(environment: Readonly<Record<string, string>>): void {
  const taken = gangVariables.filter((name) => environment[name] !== undefined);
  if (taken.length === 0) return;
  throw new Failure(
    "rule_violation",
    `Each member of a job with several is told ${taken.join(", ")} by the platform; leave that out.`,
    { details: { reserved: taken } },
  );
}

/** Jobs that have not ended and need the file for their next attempt. */
export async function jobsWithInput(tx: Tx, file: FileKey): Promise<string[]> {
  const rows = await tx.rows(
    sql`select id from request
      where tenant_id = ${file.tenantId} and kind = 'job' and ended_at is null
        and workload->'inputs' ? ${file.id}
      order by id limit 20`,
    z.object({ id: z.string() }),
  );
  return rows.map(({ id }) => id);
}

function filesOf(
  ids: readonly string[],
  inputs: ReadonlyMap<string, StoredFile>,
): readonly StoredFile[] {
  const missing = ids.filter((id) => !inputs.has(id));
  if (missing.length === 0) return ids.flatMap((id) => inputs.get(id) ?? []);
  throw new Failure("not_found", `There is no such file: ${missing.join(", ")}.`, {
    details: { inputs: missing },
  });
}

function requireNames(files: readonly StoredFile[], hasScript: boolean): void {
  const taken = new Set([resultsName, ...(hasScript ? [scriptName] : [])]);
  for (const { name } of files) {
    if (taken.has(name)) {
      throw new Failure(
        "rule_violation",
        `Two things in the work directory would be called ${JSON.stringify(name)}: the names of inputs differ from each other, from "${resultsName}" and from "${scriptName}". Upload one under another name.`,
        { details: { name } },
      );
    }
    taken.add(name);
  }
}

function requireLimit(asked: number, most: number): void {
  if (asked <= most) return;
  throw new Failure(
    "rule_violation",
    `A job may run ${most} s here, ${Math.floor(most / 3600)} h; ${asked} s were asked for. Ask for less, or split the work.`,
    { details: { asked, limit: most } },
  );
}

function requireRoom(files: readonly StoredFile[], shape: Shape): void {
  const bytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const limit = shape.diskGiB * gibibyte;
  if (bytes <= limit) return;
  throw new Failure(
    "rule_violation",
    `The inputs have ${bytes} bytes, more than the whole disk of the flavor ${shape.flavor} (${limit}).`,
    { details: { bytes, limit } },
  );
}
