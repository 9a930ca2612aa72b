/**
 * A cluster whose etcd is set back to a backup, through the driver, the stages and the database: what was
 * made since is gone, what was released since is there again, as it was. What is certain then: nobody pays
 * for what is gone beyond when it was seen last, nor again for what he gave back; what came back without a
 * row that wants it is taken away; what was stopped since is stopped again; what was there then and is
 * wanted now goes on as it is.
 */
import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { decorate } from "#providers/decorate.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import { machineName } from "#providers/kubevirt/compile/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { KubeServer } from "#test/kube/server.ts";
import { startTestCluster } from "#test/kube/driver-cluster.ts";
import { testDatabase } from "#test/database.ts";
import { addTenant, lease, rent, startStages, stateOf } from "#test/sim/cloud.ts";

const timeout = 400_000;
const patience = { timeout: 120_000, interval: 100 };
const minute = 60_000;

const transitionRow = z.object({ kind: z.string(), at: z.number() });

/** All that it has, to be set back to: under new versions, all older ones forgotten, watches cut. */
function backup({ objects: { store }, faults }: KubeServer): () => void {
  const then = store.kinds.map((kind) => ({ kind, documents: store.all(kind) }));
  return () => {
    for (const { kind, documents } of then) {
      const uids = new Set(documents.map(({ metadata }) => metadata.uid));
      for (const now of store.all(kind)) if (!uids.has(now.metadata.uid)) store.remove(kind, now);
      for (const document of documents) store.put(kind, document);
    }
    store.compact();
    faults.cutWatches();
  };
}

test(
  "R-PAYG-3: a cluster that is set back to a backup: what was made since is lost and not billed on, what was released since is taken away again and not billed again",
  { timeout },
  async () => {
    const { db, observer } = await testDatabase();
    let ahead = 0;
    const now = (): number => Date.now() + ahead;
    const cluster = await startTestCluster({ now, bootMs: 0 });
    const { server } = cluster;
    const settings = { ...cluster.settings, nodeDiskGib: 10_000 };
    const provider = new KubevirtProvider({ settings, cluster: server.cluster(), now });
    const stages = startStages({ db, observer, provider: decorate(provider), now });
    const tenant = await addTenant(db, "restored");

    const order = (name: string): Promise<string> => rent(db, lease(tenant, { name, at: now() }));
    const wish = (id: string, wanted: "released" | "stopped") =>
      db.transaction(async (tx) => {
        await tx.execute(
          sql`update request set wanted = ${wanted}, changed_at = ${new Date(now())} where id = ${id}`,
        );
        tx.nudge("request");
      });
    const state = async (id: string) => (await stateOf(db, id)).state;
    const until = async (id: string, wanted: string): Promise<void> => {
      await expect.poll(() => state(id), patience).toBe(wanted);
    };
    const nameOf = async (id: string): Promise<string> =>
      machineName((await stateOf(db, id)).instance_id ?? "");
    const there = (): string[] =>
      server.objects.store.all(kinds.machine).map(({ metadata }) => metadata.name);
    const runs = (name: string): boolean =>
      server.objects.store
        .all(kinds.machineInstance)
        .some(({ metadata }) => metadata.name === name);
    const transitions = async (id: string) =>
      db.rows(
        sql`select t.kind, (extract(epoch from t.at) * 1000)::float8 as at
          from transition t join instance i on i.id = t.instance_id
          where i.request_id = ${id} order by t.seq`,
        transitionRow,
      );
    const kindsOf = async (id: string) => (await transitions(id)).map(({ kind }) => kind);
    const atOf = async (id: string, kind: string): Promise<number | undefined> =>
      (await transitions(id)).find((each) => each.kind === kind)?.at;

    const { signal } = new AbortController();
    try {
      const [stays = "", released = "", sleeps = ""] = await Promise.all(
        ["stays", "released", "sleeps"].map(order),
      );
      for (const id of [stays, released, sleeps]) await until(id, "running");
      const restore = backup(server);

      // Since the backup: one goes, one is stopped, one comes.
      ahead += minute;
      const nameOfReleased = await nameOf(released);
      await wish(released, "released");
      await wish(sleeps, "stopped");
      await until(released, "gone");
      await until(sleeps, "stopped");
      const made = await order("made");
      await until(made, "running");
      const before = {
        stays: await transitions(stays),
        released: await transitions(released),
        sleeps: await transitions(sleeps),
      };

      ahead += minute;
      const setBackAt = now();
      restore();
      expect(there()).toContain(nameOfReleased);

      // What was made since is not there: lost, and billed to when it was seen last at the latest.
      const nameOfMade = await nameOf(made);
      await expect
        .poll(async () => {
          const { items, complete } = await provider.machines({ signal });
          return complete && items.every(({ id }) => machineName(id) !== nameOfMade);
        }, patience)
        .toBe(true);
      const missedAt = now();
      const looks = setInterval(() => (ahead += 20_000), 2_000);
      try {
        await until(made, "gone");
        await expect.poll(there, patience).not.toContain(nameOfReleased);
        await expect.poll(async () => runs(await nameOf(sleeps)), patience).toBe(false);
        await until(sleeps, "stopped");
      } finally {
        clearInterval(looks);
      }
      // A look that saw it may still have been on its way.
      expect(await atOf(made, "stopped")).toBeLessThanOrEqual(missedAt + 1_500);
      expect(await atOf(made, "stopped")).toBeGreaterThan((await atOf(made, "ready")) ?? Infinity);

      // What was given back is not on the bill again, and nobody else's is touched.
      expect(await transitions(released)).toEqual(before.released);
      expect(await transitions(stays)).toEqual(before.stays);
      expect(await state(stays)).toBe("running");
      expect(await kindsOf(stays)).toEqual(["created", "ready"]);
      expect(there().toSorted()).toEqual([await nameOf(stays), await nameOf(sleeps)].toSorted());
      // What was stopped ran again: it is stopped again, and its bill ends with that.
      const again = await transitions(sleeps);
      expect(again.slice(0, before.sleeps.length)).toEqual(before.sleeps);
      expect(again.at(-1)?.kind).toBe("stopped");
      for (const { at } of again.slice(before.sleeps.length)) {
        expect(at).toBeGreaterThanOrEqual(setBackAt - 1_500);
      }
    } finally {
      await stages.stop();
      await provider.close();
      await cluster.close();
    }
  },
);
