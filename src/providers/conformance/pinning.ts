/** CPUs of a host for a machine: as the capabilities say, or refused with the reason. */
import { expect } from "vitest";

import type { Pinning } from "#providers/provider.ts";

import type { Check } from "./record.ts";
import type { Bench } from "./rig.ts";

export const pinningChecks: readonly Check[] = [
  {
    id: "pin-numa",
    title: "keeps a machine on the NUMA node that was chosen for it",
    run: async (bench) => {
      const { provider, read, rig } = bench;
      const { numaPinning } = (await provider.info(read)).capabilities;
      const { items } = await provider.hosts(read);
      const nodes = items.find(({ id }) => id === rig.spec().hostId)?.numa ?? [];
      const numaNode = Math.max(0, nodes.length - 1);
      const create = () => provider.create(bench.call(), bench.spec({ pinning: { numaNode } }));
      if (!(await bench.can(numaPinning, create))) return;
      await isPinnedAs(bench, { numaNode });
      const beyond = bench.spec({ pinning: { numaNode: nodes.length } });
      await bench.fails(provider.create(bench.call(), beyond), "refused");
    },
  },
  {
    id: "pin-exclusive",
    title: "gives a machine CPUs of its own",
    run: async (bench) => {
      const { provider, read } = bench;
      const { exclusiveCpus } = (await provider.info(read)).capabilities;
      const pinning = { exclusive: true } as const;
      const create = () => provider.create(bench.call(), bench.spec({ pinning }));
      if (!(await bench.can(exclusiveCpus, create))) return;
      await isPinnedAs(bench, pinning);
    },
  },
];

/** Also after it was off. */
async function isPinnedAs(bench: Bench, pinning: Pinning): Promise<void> {
  const { provider } = bench;
  const made = await bench.create({ pinning, serviceClass: "core" });
  expect(made.pinned).toEqual(pinning);
  await bench.done(await provider.power(bench.call(), made.id, { to: "stop" }));
  expect((await bench.stopped(made.id)).pinned).toBeUndefined();
  await bench.done(await provider.power(bench.call(), made.id, { to: "start" }));
  expect((await bench.ready(made.id)).pinned).toEqual(pinning);
  await bench.remove(made.id);
}
