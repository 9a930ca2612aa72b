/** What platforms hold of a project goes after it: not before its machines, and in the end once. */
import { beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { recordSite } from "#catalog/sites.ts";
import { sql } from "#db/sql.ts";
import { openAlerts } from "#notices/store.ts";
import { decorate } from "#providers/decorate.ts";
import {
  ProviderError,
  type ProjectEnd,
  type Provider,
  type ReadCall,
} from "#providers/provider.ts";
import { openSimulated } from "#providers/simulated/provider.ts";
import { testDatabase } from "#test/database.ts";
import { addTenant, lease, rent, startStages, stateOf, type TestTenant } from "#test/sim/cloud.ts";

import { endProjects } from "./project-ends.ts";

const { db, observer } = await testDatabase();
const gib = 1024 ** 3;
const simulated = openSimulated({
  site: "simulated",
  hosts: [{ id: "h", cpus: 8, memoryBytes: 8 * gib, diskBytes: 9 * gib, gpus: [], labels: {} }],
  latencies: { createMs: 1, bootMs: 1 },
});
const { signal } = new AbortController();
let clock = Date.now();
/** What the platform answers, and what it was asked. */
let answer: () => Promise<ProjectEnd>;
const asked: string[] = [];
const provider: Provider = Object.assign(decorate(simulated), {
  removeProject: (_call: ReadCall, { projectId }: { readonly projectId: string }) => {
    asked.push(projectId);
    return answer();
  },
});
const context = { db, provider, observer, now: () => clock };

beforeAll(async () => {
  await recordSite(db, await simulated.info({ signal }), clock);
});

async function removed(tenant: TestTenant): Promise<TestTenant> {
  await db.execute(sql`update project set deleted_at = ${new Date(clock)}
    where tenant_id = ${tenant.tenantId} and id = ${tenant.projectId}`);
  return tenant;
}

const row = z.object({ said: z.string().nullable(), ended: z.boolean(), leftovers: z.unknown() });

function rowOf({ projectId }: TestTenant): Promise<z.output<typeof row> | undefined> {
  return db.maybe(
    sql`select said, ended_at is not null as ended, leftovers from project_end
      where project_id = ${projectId}`,
    row,
  );
}

async function alerts(): Promise<readonly string[]> {
  return (await openAlerts(db)).map(({ kind }) => kind).toSorted();
}

const going = (waitsFor: string): Promise<ProjectEnd> =>
  Promise.resolve({ state: "going", waitsFor });
const gone = (...leftovers: { what: string; why: string }[]): Promise<ProjectEnd> =>
  Promise.resolve({ state: "gone", leftovers });

test("I-TEN-02: a project's things are asked for until they are gone, and then never again", async () => {
  const kept = await addTenant(db, "stays");
  const tenant = await removed(await addTenant(db, "leaves"));
  answer = () => going("its namespace, which is going");
  await endProjects(context, signal);
  expect(asked).toEqual([tenant.projectId]);
  expect(await rowOf(tenant)).toMatchObject({
    said: "its namespace, which is going",
    ended: false,
  });
  // Not before its rest is over, which grows; an error is told the same way.
  await endProjects(context, signal);
  expect(asked).toHaveLength(1);
  answer = () =>
    Promise.reject(
      new ProviderError("unavailable", "The cluster does not answer", { effect: "none" }),
    );
  clock += 2_000;
  await endProjects(context, signal);
  expect(await rowOf(tenant)).toMatchObject({ said: "The cluster does not answer", ended: false });
  clock += 2_000;
  await endProjects(context, signal);
  expect(asked).toHaveLength(2);
  expect(await alerts()).toEqual([]);
  // After an hour its operator hears of it, until it is gone.
  answer = () => going("1 virtualmachines (m-1) to end");
  clock += 60 * 60_000;
  await endProjects(context, signal);
  expect(await alerts()).toEqual(["project_stays"]);
  answer = () => gone();
  clock += 60 * 60_000;
  await endProjects(context, signal);
  expect(await rowOf(tenant)).toEqual({ said: null, ended: true, leftovers: [] });
  expect(await alerts()).toEqual([]);
  const { length } = asked;
  clock += 60 * 60_000;
  await endProjects(context, signal);
  expect(asked).toHaveLength(length);
  expect(asked).not.toContain(kept.projectId);
});

test("the next look is when a try is due, soon again where the platform got on; who waits for his machines is not looked at all the time", async () => {
  const tenant = await removed(await addTenant(db, "soon"));
  const ask = async (waitsFor: string) => {
    answer = () => going(waitsFor);
    return endProjects(context, signal);
  };
  expect(await ask("2 virtualmachines to end")).toEqual({ restMs: 2_000 });
  clock += 1_500;
  expect(await ask("2 virtualmachines to end")).toEqual({ restMs: 500 });
  clock += 500;
  expect(await ask("2 virtualmachines to end")).toEqual({ restMs: 4_000 });
  clock += 4_000;
  expect(await ask("2 virtualmachines to end")).toEqual({ restMs: 8_000 });
  clock += 8_000;
  expect(await ask("its namespace, which is going")).toEqual({ restMs: 2_000 });
  const other = await addTenant(db, "has-machine");
  const id = await rent(db, lease(other));
  await removed(other);
  clock += 2_000;
  answer = () => gone();
  expect(await endProjects(context, signal)).toBe("rest");
  expect(await rowOf(tenant)).toMatchObject({ ended: true });
  expect(await rowOf(other)).toMatchObject({ ended: false });
  await db.execute(sql`update request set wanted = 'released', ended_at = ${new Date(clock)}
    where id = ${id}`);
  expect(await endProjects(context, signal)).toBe("rest");
  expect(await rowOf(other)).toMatchObject({ ended: true });
});

test("what storage keeps is told to the operator", async () => {
  const tenant = await removed(await addTenant(db, "leaves-data"));
  const left = { what: "PersistentVolume pv-1", why: "Its class keeps volumes." };
  answer = () => gone(left);
  await endProjects(context, signal);
  expect(await rowOf(tenant)).toEqual({ said: null, ended: true, leftovers: [left] });
  expect(await alerts()).toEqual(["project_left"]);
});

test("as long as anything of the project is asked for or runs, the platform is not asked", async () => {
  const tenant = await addTenant(db, "rents");
  const id = await rent(db, lease(tenant));
  await removed(tenant);
  answer = () => gone();
  await endProjects(context, signal);
  expect(asked).not.toContain(tenant.projectId);
  await db.execute(sql`update request set wanted = 'released', ended_at = ${new Date(clock)}
    where id = ${id}`);
  await endProjects(context, signal);
  expect(asked).toContain(tenant.projectId);
});

test("a snapshot that was promised to be kept is kept, and the project's things until then", async () => {
  const stages = startStages({ db, observer, provider: decorate(simulated) });
  const tenant = await addTenant(db, "keeps");
  const id = await rent(db, lease(tenant));
  await expect.poll(async () => (await stateOf(db, id)).state, { timeout: 60_000 }).toBe("running");
  await stages.stop();
  await db.execute(sql`update instance set state = 'gone' where request_id = ${id}`);
  await db.execute(sql`update request set wanted = 'released', ended_at = ${new Date(clock)}
    where id = ${id}`);
  await db.execute(sql`
    insert into snapshot (tenant_id, id, request_id, instance_id, name, with_memory, state,
      created_at, kept_until)
    select tenant_id, gen_random_uuid(), request_id, id, 'kept', false, 'ready',
      ${new Date(clock)}, ${new Date(clock)} from instance where request_id = ${id}`);
  await removed(tenant);
  answer = () => gone();
  await endProjects(context, signal);
  expect(asked).not.toContain(tenant.projectId);
  await db.execute(sql`update snapshot set state = 'gone' where request_id = ${id}`);
  await endProjects(context, signal);
  expect(asked).toContain(tenant.projectId);
});

test("two processes work on a project one after the other", async () => {
  await removed(await addTenant(db, "leaves-twice"));
  const { length } = asked;
  const answered = Promise.withResolvers<ProjectEnd>();
  answer = () => answered.promise;
  const first = endProjects(context, signal);
  await expect.poll(() => asked.length).toBe(length + 1);
  await endProjects(context, signal);
  expect(asked).toHaveLength(length + 1);
  answered.resolve({ state: "gone", leftovers: [] });
  await first;
});
