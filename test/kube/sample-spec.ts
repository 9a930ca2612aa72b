/** A machine as flow orders it, of a tenant and a project of its own. */
import { randomUUID } from "node:crypto";

import type { MachineSpec } from "#providers/provider.ts";

export function sampleSpec(overrides: Partial<MachineSpec> = {}): MachineSpec {
  const tenantId = randomUUID();
  return {
    id: randomUUID(),
    name: "sample",
    hostId: "node-1",
    image: "tiny",
    cpu: { sockets: 1, cores: 1, threads: 1 },
    memoryBytes: 1024 ** 3,
    diskBytes: 1024 ** 3,
    gpus: [],
    serviceClass: "standard",
    network: tenantId,
    loginUser: "root",
    sshKeys: [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0000000000000000000000000000000000000000000 someone",
    ],
    owner: { tenantId, projectId: randomUUID(), resourceId: randomUUID() },
    ...overrides,
  };
}
