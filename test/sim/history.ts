/** Random histories: what customers, operators, platforms and clocks do to a cloud. */
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import { askReboot, askRelease, askStart, askStop } from "#flow/admit/lease.ts";
import { askResize } from "#flow/provision/resize.ts";
import { askDeleteSnapshot, askRevert, askSnapshot } from "#flow/provision/snapshot-asks.ts";
import { Failure } from "#kernel/failure.ts";
import { fen } from "#kernel/money.ts";
import type { Shape } from "#kernel/shape.ts";
import type { Mutation, NextFailure } from "#providers/simulated/faults.ts";

import { lease, rent, shape, type TestTenant } from "./cloud.ts";
import type { Random } from "./random.ts";
import { simulatedHosts } from "./simulated-hosts.ts";
import type { World } from "./world.ts";

export interface History {
  readonly world: World;
  readonly random: Random;
  readonly leases: { readonly tenant: TestTenant; readonly id: string }[];
  readonly log: string[];
}

export async function customerDoes(history: History): Promise<void> {
  const { random, leases, log, world } = history;
  const chosen = random.maybePick(leases.slice(-12));
  const kind = chosen === undefined || random.chance(0.25) ? "rent" : random.pick(asks);
  log.push(`${kind} ${chosen?.id ?? ""}`);
  try {
    if (kind === "rent" || chosen === undefined) await rentOne(history);
    else {
      const { tenantId } = chosen.tenant;
      await askFor(history, kind, { tenantId, leaseId: chosen.id, at: world.now() });
    }
  } catch (error) {
    // A refusal is an answer; anything else is a bug.
    if (!(error instanceof Failure) || error.code === "internal") throw error;
    log.push(`  refused: ${error.code}`);
  }
}

const asks = [
  "stop",
  "stop",
  "start",
  "start",
  "start",
  "reboot",
  "resize",
  "snapshot",
  "revert",
  "delete snapshot",
  "release",
] as const;

async function rentOne({ world, random, leases }: History): Promise<void> {
  const tenant = random.maybePick(world.tenants);
  if (tenant === undefined) return;
  const id = await rent(
    world.db,
    lease(tenant, {
      name: `vm-${leases.length}`,
      shape: randomShape(random),
      restart: random.chance(0.7) ? "on-failure" : "never",
      at: world.now(),
    }),
    ledgerCredit,
  );
  leases.push({ tenant, id });
}

function randomShape(random: Random): Shape {
  const vcpus = 1 + random.below(3);
  const whole = { model: "T4", count: 1, slice: 1, nvlink: false };
  return shape({
    vcpus,
    cpu: { sockets: 1, cores: vcpus, threads: 1 },
    memoryMiB: 512 * (1 + random.below(4)),
    diskGiB: 1 + random.below(4),
    gpu: random.chance(0.25) ? (random.chance(0.4) ? whole : { ...whole, slice: 4 }) : null,
    hugePages: random.chance(0.15) ? "2Mi" : "none",
    antiAffinity: random.chance(0.1),
  });
}

interface Key {
  readonly tenantId: string;
  readonly leaseId: string;
  readonly at: number;
}

const idRow = z.object({ id: z.string() });

async function askFor(
  { world, random }: History,
  kind: (typeof asks)[number],
  key: Key,
): Promise<void> {
  const { db } = world;
  const { tenantId, leaseId } = key;
  const snapshots = await db.rows(
    sql`select id from snapshot where request_id = ${leaseId} and state <> 'gone'`,
    idRow,
  );
  const snapshotId = random.maybePick(snapshots)?.id;
  await db.tenant(tenantId, async (tx) => {
    switch (kind) {
      case "stop":
        return askStop(tx, { ...key, graceSeconds: random.below(2) });
      case "start":
        return askStart(tx, ledgerCredit, key);
      case "reboot":
        return askReboot(tx, key);
      case "release":
        return askRelease(tx, key);
      case "resize": {
        const vcpus = 1 + random.below(4);
        const to = { vcpus, cpu: { sockets: 1, cores: vcpus, threads: 1 } };
        const { was } = await tx.one(
          sql`select shape as was from request where id = ${leaseId}`,
          z.object({ was: z.custom<Shape>() }),
        );
        return askResize(tx, {
          ...key,
          shape: { ...was, ...to, memoryMiB: 512 * (1 + random.below(4)) },
          price: { hourly: fen(60n), shown: {} },
        });
      }
      case "snapshot":
        return askSnapshot(tx, { ...key, name: "s", withMemory: random.chance(0.5) });
      case "revert":
        return snapshotId === undefined ? undefined : askRevert(tx, { ...key, snapshotId });
      case "delete snapshot":
        return snapshotId === undefined ? undefined : askDeleteSnapshot(tx, { ...key, snapshotId });
    }
    return undefined;
  });
}

const mutations: readonly [Mutation, ...Mutation[]] = [
  "create",
  "power",
  "resize",
  "delete",
  "snapshot",
  "revert",
  "deleteSnapshot",
];
const effects: readonly [NextFailure["effect"], ...NextFailure["effect"][]] = [
  "none",
  "done",
  "maybe_none",
  "maybe_done",
  "accepted",
];
const codes: readonly [NextFailure["code"], ...NextFailure["code"][]] = [
  "unavailable",
  "throttled",
  "unknown",
  "capacity",
  "refused",
];

/** Something goes wrong at the platform. */
export async function platformDoes({ world, random, log }: History): Promise<void> {
  const { platform } = world;
  const machine = random.maybePick(platform.machines());
  const host = random.maybePick(simulatedHosts)?.id ?? "";
  const what = random.below(11);
  log.push(`platform ${what}`);
  switch (what) {
    case 0:
    case 1:
    case 2: {
      const call = random.chance(0.2) ? "read" : random.pick(mutations);
      const effect = call === "read" ? "none" : random.pick(effects);
      platform.faults.failNext(call, { code: random.pick(codes), effect });
      return;
    }
    case 3:
      // Now and then longer than the deadline of the call.
      platform.faults.slowNext(random.pick(mutations), random.chance(0.1) ? 900 : random.below(80));
      return;
    case 4:
      platform.faults.incompleteNext([host]);
      return;
    case 5:
      platform.faults.loseEvents(1 + random.below(4));
      return;
    case 6:
    case 7:
      if (machine !== undefined) platform.crash(machine.spec.id);
      return;
    case 8:
      if (machine !== undefined) platform.shutDownByGuest(machine.spec.id);
      return;
    case 9:
      platform.hostDown(host);
      await wait(random.below(40));
      if (random.chance(0.8)) platform.hostUp(host);
      return;
    case 10:
      if (random.chance(0.3)) platform.forgetOperations();
      return;
  }
}

export function everyFaultIsOver({ platform }: World): void {
  for (const host of simulatedHosts) platform.hostUp(host.id);
  for (const call of [...mutations, "read"] as const) {
    while (platform.faults.takeFailure(call) !== undefined);
    while (platform.faults.takeDelayMs(call) > 0);
  }
  while (platform.faults.takeIncomplete().length > 0);
  while (platform.faults.takeLostEvent());
}

export async function releaseAll({ world, leases }: History): Promise<void> {
  for (const { tenant, id } of leases) {
    const key = { tenantId: tenant.tenantId, leaseId: id, at: world.now() };
    try {
      await world.db.tenant(tenant.tenantId, (tx) => askRelease(tx, key));
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "wrong_state") throw error;
    }
  }
}
