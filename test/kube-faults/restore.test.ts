/**
 * A cluster whose etcd is set back to a backup, through the driver, the stages and the database: what was
 * made since is gone, what was released since is there again, as it was. What is certain then: nobody pays
 * for what is gone beyond when it was seen last, nor again for what he gave back; what came back without a
 * row that wants it is taken away; what was stopped since is stopped again; what was there then and is
 * wanted now goes on as it is.
 */
import { expect, test } from "vitest";

import { sql } from "#db/sql.ts";
import { machineName } from "#providers/kubevirt/compile/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { KubeServer } from "#test/kube/server.ts";

import { minuteMs, patience, startStaged } from "./staged.ts";

const timeout = 400_000;

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
    const staged = await startStaged("restored");
    const { cluster, provider, db, now, forward, order, state, until } = staged;
    const { transitions, kindsOf, instantOf } = staged;
    const { server } = cluster;

    const wish = (id: string, wanted: "released" | "stopped") =>
      db.transaction(async (tx) => {
        await tx.execute(
          sql`update request set wanted = ${wanted}, changed_at = ${new Date(now())} where id = ${id}`,
        );
        tx.nudge("request");
      });
    const nameOf = async (id: string): Promise<string> => (await staged.placeOf(id)).name;
    const there = (): string[] =>
      server.objects.store.all(kinds.machine).map(({ metadata }) => metadata.name);
    const runs = (name: string): boolean =>
      server.objects.store
        .all(kinds.machineInstance)
        .some(({ metadata }) => metadata.name === name);
    const { signal } = new AbortController();
    const [stays = "", released = "", sleeps = ""] = await Promise.all(
      ["stays", "released", "sleeps"].map(order),
    );
    for (const id of [stays, released, sleeps]) await until(id, "running");
    const restore = backup(server);

    // Since the backup: one goes, one is stopped, one comes.
    forward(minuteMs);
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

    forward(minuteMs);
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
    const looks = setInterval(() => forward(20_000), 2_000);
    try {
      await until(made, "gone");
      await expect.poll(there, patience).not.toContain(nameOfReleased);
      await expect.poll(async () => runs(await nameOf(sleeps)), patience).toBe(false);
      await until(sleeps, "stopped");
    } finally {
      clearInterval(looks);
    }
    // A look that saw it may still have been on its way.
    expect(await instantOf(made, "stopped")).toBeLessThanOrEqual(missedAt + 1_500);
    expect(await instantOf(made, "stopped")).toBeGreaterThan(
      (await instantOf(made, "ready")) ?? Infinity,
    );

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
  },
);
