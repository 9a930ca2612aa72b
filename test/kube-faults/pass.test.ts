/** What the platform is asked for while the stages look at it again and again. */
import { expect, test, vi } from "vitest";

import { sampleSpec } from "#test/kube/sample-spec.ts";

import { call, read, startRig, stored } from "./rig.ts";

const machines = 24;
const passes = 20;

test("a pass over all machines asks the cluster nothing for any of them", async () => {
  const rig = await startRig();
  const { provider, cluster } = rig;
  const specs = Array.from({ length: machines }, () => sampleSpec());
  await Promise.all(specs.map((spec) => provider.create(call(spec, `${spec.id}:create`), spec)));
  await vi.waitFor(
    async () => {
      const { items } = await provider.machines(read());
      expect(items.filter(({ guest }) => guest.ready)).toHaveLength(machines);
      // And that they run is written down, so that nothing is written by itself any more.
      for (const spec of specs) {
        const noted = stored(rig, spec)?.metadata.annotations?.["millrace.dev/run"];
        expect(noted).toContain("readyAt");
      }
    },
    { timeout: 60_000, interval: 50 },
  );
  const { requests } = cluster.server;
  const before = new Map(requests);
  for (let pass = 0; pass < passes; pass += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one pass after the other
    const [all, hosts] = await Promise.all([provider.machines(read()), provider.hosts(read())]);
    expect([all.complete, all.items.length, hosts.complete]).toEqual([true, machines, true]);
    // oxlint-disable-next-line no-await-in-loop
    for (const { id } of specs) expect(await provider.machine(read(), id)).toBeDefined();
  }
  // What is looked at now and then, such as the site, is less than one for each.
  const asked = [...requests].flatMap(([what, count]) => {
    const more = count - (before.get(what) ?? 0);
    return more >= machines ? [`${more} ${what}`] : [];
  });
  expect(asked).toEqual([]);
});
