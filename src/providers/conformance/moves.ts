/** Moves between hosts: as the capabilities say, or refused with the reason. */
import { expect } from "vitest";

import type { Check } from "./record.ts";

export const moveChecks: readonly Check[] = [
  {
    id: "move-live",
    title: "H-29: moves a machine to another host while it runs, and its run goes on",
    run: async (bench) => {
      const { provider, read } = bench;
      const { capabilities } = await provider.info(read);
      const before = await bench.resident();
      const call = bench.call();
      const move = () => provider.move(call, before.id);
      if (!(await bench.can(capabilities.moveLive, move))) return;
      const ref = await move();
      await bench.done(ref);
      const after = await bench.until(
        "it is elsewhere",
        bench.rig.timings.operationMs,
        async () => {
          const machine = await bench.machine(before.id);
          return machine.hostId === before.hostId ? undefined : machine;
        },
      );
      expect(after.power.value).toBe("running");
      expect(after.powerSince).toBe(before.powerSince);
      expect(after.guest.readyAt).toBe(before.guest.readyAt);

      // The same again does not move it on, nor does a move to where it is.
      expect(await move()).toEqual(ref);
      await bench.done(await provider.move(bench.call(), before.id, after.hostId));
      expect((await bench.machine(before.id)).hostId).toBe(after.hostId);

      await bench.done(await provider.power(bench.call(), before.id, { to: "stop" }));
      await bench.stopped(before.id);
      await bench.fails(provider.move(bench.call(), before.id), "refused");
    },
  },
  {
    id: "start-elsewhere",
    title: "H-29: starts a stopped machine on another host, with its disk",
    run: async (bench) => {
      const { provider, read } = bench;
      const { capabilities } = await provider.info(read);
      if (!capabilities.startElsewhere.can) {
        bench.because = capabilities.startElsewhere.because;
        return;
      }
      const before = await bench.resident();
      const { items } = await provider.hosts(read);
      const other = items.find(({ id }) => id !== before.hostId)?.id ?? "";
      await bench.done(await provider.power(bench.call(), before.id, { to: "stop" }));
      await bench.stopped(before.id);
      const start = { to: "start", hostId: other } as const;
      await bench.done(await provider.power(bench.call(), before.id, start));
      const after = await bench.ready(before.id);
      expect(after.hostId).toBe(other);
      expect(after.diskBytes).toBe(before.diskBytes);
    },
  },
];
