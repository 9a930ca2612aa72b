/** The suite of every driver, with real machines: booted, and cloned from a template. */
import { present } from "#kernel/assert.ts";
import { conformance, type Rig } from "#providers/conformance.ts";

import { createTestSite, mebibyte, testOwner, testRead } from "./test-site.ts";
import type { WarmPoolSettings } from "./pool.ts";
import { identify, signalProcess } from "./process.ts";

const warmPool: WarmPoolSettings = {
  members: 1,
  memoryBytesMax: 512 * mebibyte,
  prepare: [
    { image: "tiny", cpu: { sockets: 1, cores: 1, threads: 1 }, memoryBytes: 128 * mebibyte },
  ],
};

async function rig(pool: WarmPoolSettings | undefined): Promise<Rig> {
  const site = await createTestSite();
  const open = () => site.open(pool === undefined ? {} : { warmPool: pool });
  let provider = await open();
  return {
    provider,
    owner: testOwner,
    spec: (overrides) => site.spec(overrides),
    timings: { readyMs: 300_000, operationMs: 120_000 },
    restart: async () => {
      await provider.close();
      provider = await open();
      return provider;
    },
    crash: async (id) => {
      const machine = present(await provider.machine(testRead, id), "machine");
      const pid = Number(present(machine.locator["pid"], "pid"));
      signalProcess(present(identify(pid), "process"), "SIGKILL");
    },
    shutDownFromInside: async (id) => {
      await site.ssh(present(await provider.machine(testRead, id), "machine"), "poweroff");
    },
    close: async () => {
      await provider.close();
      await site.remove();
    },
  };
}

conformance("local", { testedAgainst: "QEMU, emulated, booting", create: () => rig(undefined) });
conformance("local, warm", { create: () => rig(warmPool) });
