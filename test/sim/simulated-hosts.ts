/** The hosts of the random histories: small, so that they fill up. */
import type { SimulatedHost } from "#providers/simulated/hosts.ts";

const gib = 2 ** 30;

export const simulatedHosts: readonly SimulatedHost[] = [
  {
    id: "h1",
    cpus: 8,
    memoryBytes: 16 * gib,
    diskBytes: 60 * gib,
    hugePages: { "2Mi": 1024 },
    gpus: [
      { id: "g0", model: "T4", memoryBytes: 16 * gib, isolation: "hard", slicesMax: 4 },
      { id: "g1", model: "T4", memoryBytes: 16 * gib, isolation: "soft", slicesMax: 4 },
    ],
  },
  { id: "h2", cpus: 4, memoryBytes: 8 * gib, diskBytes: 40 * gib, gpus: [] },
];
