/**
 * What a member of a gang is told of itself and of the others: the variables that torchrun and its like
 * read. What must stay true: all members are told the same address, that of the member with rank 0, on
 * their tenant's network; where the platform gives none, they are told none.
 */
import { isIP } from "node:net";

import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import type { Request } from "#flow/admit/requests.ts";
import type { WorkloadSpec } from "#providers/provider.ts";

/** Where rank 0 listens; a machine of its own has every port free. torchrun's own default. */
const masterPort = 29_500;
const masterAddress = "MASTER_ADDR";

type Ranks = Pick<WorkloadSpec, "environment" | "addressVariable">;

const alone: Ranks = { environment: {} };

const firstRow = z.object({
  address: z.string().nullable(),
  ready_at: instant.nullable(),
  state: z.string(),
});

/** `later` as long as the address may still become known; members are then made a moment after the first. */
export async function ranksOf(db: Queryable, request: Request): Promise<Ranks | "later"> {
  const { gang_id: gangId, gang_size: size, gang_rank: rank } = request;
  if (gangId === null) return alone;
  const environment = {
    RANK: String(rank),
    WORLD_SIZE: String(size),
    // One machine is one node with one process, unless the program starts more itself.
    LOCAL_RANK: "0",
    LOCAL_WORLD_SIZE: "1",
    NODE_RANK: String(rank),
    NNODES: String(size),
    MASTER_PORT: String(masterPort),
  };
  // Its machine has no address before it is made; its platform fills it in.
  if (rank === 0) return { environment, addressVariable: masterAddress };
  if (request.wanted !== "running") return { environment };
  const first = await db.maybe(
    sql`select i.address, i.ready_at, coalesce(i.state, 'placed') as state
      from request f left join instance i on i.tenant_id = f.tenant_id
        and i.request_id = f.id and i.turn = ${request.turn}
      where f.tenant_id = ${request.tenant_id} and f.id = ${gangId} and f.ended_at is null
        and f.wanted = 'running' and f.turn = ${request.turn}`,
    firstRow,
  );
  // It has left, and so will this one.
  if (first === undefined) return { environment };
  const { address } = first;
  if (address !== null && (isIP(address) !== 0 || isHostName(address))) {
    return { environment: { ...environment, [masterAddress]: address } };
  }
  const comes = first.ready_at === null && ["placed", "creating"].includes(first.state);
  return comes ? "later" : { environment };
}

function isHostName(address: string): boolean {
  return address.length <= 253 && /^[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/u.test(address);
}
