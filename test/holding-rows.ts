/**
 * Tenants, hosts, pools and what is held of them, written straight into the tables: for tests of what
 * the schema itself refuses.
 */
import { v7 as uuid } from "uuid";
import { z } from "zod";

import { addPool, moveHost } from "#catalog/pools.ts";
import { recordHosts, recordSite, type HostSaid } from "#catalog/sites.ts";
import { createPoolBody } from "#contract/schemas/pools.ts";
import { json } from "#db/json.ts";
import type { Db } from "#db/pool.ts";
import { sql, type Sql } from "#db/sql.ts";
import { insertRequest } from "#flow/admit/requests.ts";
import { mebibyte, milliCpusOf, type Shape } from "#kernel/shape.ts";

import { aShape } from "./place-states.ts";

const gib = 2 ** 30;
const at = Date.UTC(2026, 0, 1);

export interface Held {
  readonly tenantId: string;
  readonly instanceId: string;
}

interface HoldAsk {
  readonly tenantId?: string;
  readonly hostId: string;
  readonly shape?: Partial<Shape>;
  readonly devices?: readonly string[];
  readonly afterFault?: boolean;
  readonly numaNode?: number;
  readonly milliCpus?: number;
}

interface HoldingRows {
  readonly newTenant: () => Promise<string>;
  readonly newHost: (
    pool: string | null,
    devices?: readonly Partial<HostSaid["gpus"][number]>[],
    of?: Partial<HostSaid>,
  ) => Promise<string>;
  /** Its name. */
  readonly newPool: (settings: Omit<z.input<typeof createPoolBody>, "name">) => Promise<string>;
  /** A lease that wants to run and holds nothing yet. */
  readonly newRequest: (tenantId: string, shape: Shape) => Promise<string>;
  /** In one transaction, which waits for `meanwhile` before it commits. */
  readonly hold: (ask: HoldAsk, meanwhile?: () => Promise<void>) => Promise<Held>;
}

export function claimOf(
  { tenantId, instanceId }: Held,
  hostId: string,
  device: string,
  slice = 1,
): Sql {
  return sql`insert into gpu_claim (tenant_id, instance_id, host_id, device_id, slice)
    values (${tenantId}, ${instanceId}, ${hostId}, ${device}, ${slice})`;
}

export async function holdingRows(db: Db): Promise<HoldingRows> {
  let names = 0;
  const next = (prefix: string): string => `${prefix}${(names += 1)}`;
  await recordSite(
    db,
    {
      site: "s",
      kind: "simulated",
      version: "1",
      execution: "simulated",
      executionReason: "",
      capabilities: {},
    },
    at,
  );

  const newTenant: HoldingRows["newTenant"] = async () => {
    const id = uuid();
    await db.execute(sql`
      insert into tenant (id, kind, name, display_name, time_zone, created_at)
      values (${id}, 'customer', ${id}, ${id}, 'Asia/Shanghai', now())`);
    await db.execute(sql`
      insert into project (tenant_id, id, name, created_at)
      values (${id}, ${id}, 'default', now())`);
    return id;
  };

  const newHost: HoldingRows["newHost"] = async (pool, devices = [], of = {}) => {
    const name = next("h");
    const gpu = { model: "A100", memoryBytes: 80 * gib, isolation: "hard", slicesMax: 7 } as const;
    const item = {
      id: name,
      state: "up",
      cpus: 100,
      memoryBytes: 100 * gib,
      diskBytes: 1000 * gib,
      hugePages: {},
      labels: {},
      gpus: devices.map((device, index) => ({ id: `g${index}`, ...gpu, ...device })),
      ...of,
    } as const;
    await recordHosts(db, { site: "s", at, listing: { complete: false, items: [item] } });
    const { id } = await db.one(
      sql`select id from host where native_id = ${name}`,
      z.object({ id: z.string() }),
    );
    if (pool !== null) await db.transaction((tx) => moveHost(tx, id, pool));
    return id;
  };

  const newPool: HoldingRows["newPool"] = async (settings) => {
    const name = next("pool-");
    await db.transaction((tx) => addPool(tx, createPoolBody.parse({ name, ...settings })));
    return name;
  };

  const newRequest: HoldingRows["newRequest"] = async (tenantId, shape) => {
    const id = uuid();
    await insertRequest(db, {
      tenantId,
      projectId: tenantId,
      id,
      kind: "lease",
      name: next("vm-"),
      createdBy: uuid(),
      shape,
      image: "tiny",
      loginUser: "root",
      sshKeys: [],
      userData: undefined,
      restart: "never",
      price: {},
      priority: 30,
      workload: undefined,
      plan: "on_demand",
      at,
    });
    return id;
  };

  const hold: HoldingRows["hold"] = async (ask, meanwhile) => {
    const tenantId = ask.tenantId ?? (await newTenant());
    const shape = aShape({ vcpus: 1, memoryMiB: 64, diskGiB: 1, ...ask.shape });
    const requestId = await newRequest(tenantId, shape);
    const instanceId = uuid();
    await db.transaction(async (tx) => {
      await tx.execute(sql`
        insert into placement (tenant_id, instance_id, request_id, turn, host_id, milli_cpus,
          memory_bytes, disk_bytes, shape, device_ids, state, placed_at, after_fault, numa_node)
        values (${tenantId}, ${instanceId}, ${requestId}, 1, ${ask.hostId},
          ${ask.milliCpus ?? milliCpusOf(shape)}, ${shape.memoryMiB * mebibyte}, 1, ${json(shape)},
          ${json(ask.devices ?? [])}, 'full', ${new Date(at)}, ${ask.afterFault ?? false},
          ${ask.numaNode ?? null})`);
      for (const device of ask.devices ?? []) {
        // oxlint-disable-next-line no-await-in-loop -- one connection
        await tx.execute(claimOf({ tenantId, instanceId }, ask.hostId, device, shape.gpu?.slice));
      }
      await meanwhile?.();
    });
    return { tenantId, instanceId };
  };

  return { newTenant, newHost, newPool, newRequest, hold };
}
