/**
 * A cluster that vanishes for ten minutes, through the driver, the stages and the database. What is
 * certain then: what ran on is billed on, what ended meanwhile is billed to the cluster's own word of its
 * end, what is missing afterwards to when it was seen last; what is ordered meanwhile waits, is told why,
 * and is made once. `R-PAYG-3`.
 */
import { expect, test } from "vitest";
import { z } from "zod";

import { awaySince } from "#catalog/sites.ts";
import { sql } from "#db/sql.ts";
import { findLease, reasonOf } from "#flow/provision/lease-view.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { remove } from "#test/kube/api/removal.ts";

import { minuteMs, patience, startStaged } from "./staged.ts";

const timeout = 300_000;

test(
  "R-PAYG-3: a cluster that is away for ten minutes: nothing is lost, nothing is made twice, nobody pays for what is not known",
  { timeout },
  async () => {
    const staged = await startStaged("outage");
    const { cluster, db, tenant, site, now, forward, order, state, until } = staged;
    const { placeOf, kindsOf, instantOf } = staged;
    const { server, nodes } = cluster;
    const reasonFor = async (id: string) => {
      const view = await findLease(db, { tenantId: tenant.tenantId, id, at: now() });
      return view === undefined ? null : reasonOf(view);
    };
    const isReachable = async (): Promise<boolean> => {
      const { reachable } = await db.one(
        sql`select reachable from site where name = ${site}`,
        z.object({ reachable: z.boolean() }),
      );
      return reachable;
    };
    const isAway = async (): Promise<boolean> => {
      const { away } = await db.one(
        sql`select ${awaySince(sql`site`, now())} is not null as away from site where name = ${site}`,
        z.object({ away: z.boolean() }),
      );
      return away;
    };

    const [runsOn = "", endsItself = "", isDeleted = ""] = await Promise.all(
      ["runs-on", "ends-itself", "is-deleted"].map(order),
    );
    for (const id of [runsOn, endsItself, isDeleted]) await until(id, "running");
    const { uid } = server.objects.store.get(kinds.machine, await placeOf(runsOn))?.metadata ?? {};

    // It is away, and nobody can know more than what was seen until then.
    const vanishedAt = now();
    server.faults.vanish();
    // Nobody has noticed: it is placed there, and waits to be made.
    const ordered = await order("ordered");
    await until(ordered, "creating");
    forward(2 * minuteMs);
    await expect.poll(isReachable, patience).toBe(false);
    await expect
      .poll(
        () =>
          staged
            .loops()
            .map(({ lastError }) => lastError ?? "")
            .join(" "),
        patience,
      )
      .toMatch(/Nothing is known of the cluster since .* It is tried again by itself/);

    // Life goes on there.
    forward(2 * minuteMs);
    const endedAt = now();
    nodes.guestEnds(await placeOf(endsItself), "shut down");
    remove(server.objects, kinds.machine, await placeOf(isDeleted), {
      propagation: "Background",
    });

    // And here: who orders is told why he waits, and what is there is shown as it was.
    await expect.poll(isAway, patience).toBe(true);
    const late = await order("late");
    forward(5 * minuteMs);
    for (const id of [ordered, late]) {
      await expect.poll(() => reasonFor(id), patience).toMatchObject({ code: "site_away" });
    }
    // The one has its place there, the other none yet.
    expect([await state(ordered), await state(late)]).toEqual(["creating", null]);
    expect(await reasonFor(runsOn)).toMatchObject({ code: "site_away" });
    for (const id of [runsOn, endsItself, isDeleted]) {
      expect(await state(id)).toBe("running");
      expect(await kindsOf(id)).toEqual(["created", "ready"]);
    }

    forward(minuteMs);
    server.faults.comeBack();
    await expect.poll(isReachable, patience).toBe(true);
    await until(ordered, "running");
    await until(late, "running");
    await until(endsItself, "stopped");
    forward(minuteMs);
    await until(isDeleted, "gone");

    // The first one has not noticed anything.
    expect(await state(runsOn)).toBe("running");
    expect(await kindsOf(runsOn)).toEqual(["created", "ready"]);
    expect(await reasonFor(runsOn)).toBeNull();
    expect(server.objects.store.get(kinds.machine, await placeOf(runsOn))?.metadata.uid).toBe(uid);
    // To the second of the cluster's own word.
    const stopped = (await instantOf(endsItself, "stopped")) ?? 0;
    expect(Math.abs(stopped - endedAt)).toBeLessThan(1500);
    // Nobody knows how long it was there after it was seen last.
    const lostAt = (await instantOf(isDeleted, "stopped")) ?? Infinity;
    expect(lostAt).toBeLessThanOrEqual(vanishedAt + 1000);
    expect(await instantOf(isDeleted, "ready")).toBeLessThanOrEqual(lostAt);
    // What is there is what is to be there, once each.
    const names = server.objects.store.all(kinds.machine).map(({ metadata }) => metadata.name);
    const wanted = await Promise.all([runsOn, endsItself, ordered, late].map(placeOf));
    expect(names.toSorted()).toEqual(wanted.map(({ name }) => name).toSorted());
    expect(server.objects.store.all(kinds.machineInstance).length).toBeLessThanOrEqual(4);
  },
);
