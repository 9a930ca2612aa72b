/**
 * Watches that stay open and say nothing, as over a connection whose other end is gone, through the stages
 * and the database: what is looked at meanwhile is taken for what is, but nobody pays for more than what the
 * cluster said. `R-PAYG-3`.
 */
import { expect, test } from "vitest";

import { remove } from "#test/kube/api/removal.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { minuteMs, patience, startStaged } from "./staged.ts";

test("R-PAYG-3: a machine that is deleted by hand while watches say nothing is billed to the cluster's last word, however often it was looked at since", async () => {
  const { cluster, provider, site, now, forward, loops, ...staged } = await startStaged("silence");
  const { server } = cluster;
  const id = await staged.order("deleted");
  await staged.until(id, "running");
  const looks = (): number => loops().find(({ name }) => name === `site ${site}`)?.runs ?? 0;
  const isLookedAt = async (): Promise<void> => {
    const before = looks();
    // The one that goes on now, and another.
    await expect.poll(looks, patience).toBeGreaterThan(before + 1);
  };

  server.faults.muteWatches("silent");
  const silentAt = now();
  forward(10 * minuteMs);
  remove(server.objects, kinds.machine, await staged.placeOf(id), { propagation: "Background" });
  await expect.poll(() => server.objects.store.all(kinds.machine), patience).toEqual([]);
  forward(10 * minuteMs);
  await isLookedAt();
  // As it was: nobody can know better.
  expect(await staged.state(id)).toBe("running");
  const { items, complete } = await provider.machines({ signal: AbortSignal.timeout(60_000) });
  expect([items.length, complete]).toEqual([1, true]);

  server.faults.muteWatches("talking");
  server.faults.cutWatches();
  await expect
    .poll(
      async () => (await provider.machines({ signal: AbortSignal.timeout(60_000) })).items,
      patience,
    )
    .toEqual([]);
  await isLookedAt();
  forward(10 * minuteMs);
  await staged.until(id, "gone");
  const stoppedAt = await staged.instantOf(id, "stopped");
  expect(stoppedAt).toBeLessThanOrEqual(silentAt + 1_000);
  expect(stoppedAt).toBeGreaterThanOrEqual((await staged.instantOf(id, "ready")) ?? Infinity);
}, 400_000);
