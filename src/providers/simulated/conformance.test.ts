import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { conformance } from "#providers/conformance.ts";
import { decorate } from "#providers/decorate.ts";
import type { Capabilities } from "#providers/provider.ts";

import { gpuHost } from "./hosts.ts";
import { openSimulated } from "./provider.ts";

const gib = 1024 ** 3;

function simulated(
  name: string,
  about: { readonly testedAgainst?: string },
  capabilities: Partial<Capabilities>,
): void {
  conformance(name, {
    ...about,
    create: async () => {
      const directory = mkdtempSync(join(tmpdir(), "simulated-"));
      const open = () =>
        openSimulated({
          site: "nowhere",
          hosts: [gpuHost("host-1", "A100=1"), gpuHost("host-2", "T4=1")],
          directory,
          latencies: { createMs: 20, bootMs: 30, shutdownMs: 20 },
          capabilities,
        });
      let simulation = open();
      let provider = decorate(simulation);
      const owner = { tenantId: randomUUID(), projectId: randomUUID(), resourceId: randomUUID() };
      return Promise.resolve({
        provider,
        owner,
        spec: (overrides) => ({
          id: randomUUID(),
          name: "conformance",
          hostId: "host-1",
          image: "tiny",
          cpu: { sockets: 1, cores: 1, threads: 1 },
          memoryBytes: gib,
          diskBytes: gib,
          gpus: [],
          serviceClass: "standard",
          network: "n",
          loginUser: "root",
          sshKeys: [],
          owner,
          ...overrides,
        }),
        timings: { readyMs: 60_000, operationMs: 30_000 },
        restart: async () => {
          await provider.close();
          simulation = open();
          provider = decorate(simulation);
          return provider;
        },
        crash: async (id) => {
          simulation.platform.crash(id);
          await Promise.resolve();
        },
        shutDownFromInside: async (id) => {
          simulation.platform.shutDownByGuest(id);
          await Promise.resolve();
        },
        close: async () => {
          await provider.close();
          rmSync(directory, { recursive: true });
        },
      });
    },
  });
}

const because = "this simulated platform was told to do without";
const no = { can: false, because } as const;

simulated("simulated", { testedAgainst: "itself, with its world in a directory" }, {});

simulated(
  "simulated with nothing that a platform may lack",
  {},
  {
    snapshotWithMemory: no,
    snapshotDiskOnly: no,
    keepSnapshot: no,
    clone: no,
    resizeCpuLive: no,
    resizeMemoryLive: no,
    diskGrow: no,
    diskGrowLive: no,
    resizeGpus: no,
    pause: no,
    serialConsole: no,
    workloads: no,
    gpus: no,
    numaPinning: no,
    exclusiveCpus: no,
  },
);
