/**
 * Several processes of the control plane on one simulated platform at the same time, for real: no
 * change of one is lost by another, and they never give one GPU twice.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

import { gpuHost } from "./hosts.ts";
import { openSimulated } from "./provider.ts";

const processes = 4;
const machinesEach = 45;
const run = promisify(execFile);

/** Prints how many of its machines got a GPU; those that did not are made without. */
const program = `
import { gpuHost } from "#providers/simulated/hosts.ts";
import { openSimulated } from "#providers/simulated/provider.ts";
const [directory, name, count] = process.argv.slice(1);
const owner = { tenantId: "t", projectId: "p", resourceId: "r" };
const call = (operationId) => ({ operationId, owner, signal: new AbortController().signal });
const provider = openSimulated({ site: "s", hosts: [gpuHost("h", "A100=8")], directory });
let withGpu = 0;
for (let i = 0; i < Number(count); i += 1) {
  const spec = (gpus) => ({
    id: name + i, name: "a", hostId: "h", image: "tiny", cpu: { sockets: 1, cores: 1, threads: 1 },
    memoryBytes: 1, diskBytes: 1, gpus, serviceClass: "standard", network: "n",
    loginUser: "root", sshKeys: [], owner,
  });
  const gpus = [{ deviceId: "a100-" + (i % 8), model: "A100", slice: 1 }];
  await provider.create(call(name + i), spec(gpus)).then(
    () => { withGpu += 1; },
    (error) => {
      if (error.code !== "capacity" || error.effect !== "none") throw error;
      return provider.create(call(name + i), spec([]));
    },
  );
}
console.log(withGpu);
`;

test("processes at the same time lose nothing of each other and share no GPU", async () => {
  const directory = mkdtempSync(join(tmpdir(), "simulated-"));
  try {
    const outputs = await Promise.all(
      Array.from({ length: processes }, (_, index) =>
        run(process.execPath, [
          "--conditions=source",
          "--input-type=module",
          `--eval=${program}`,
          "--",
          directory,
          `p${index}-`,
          `${machinesEach}`,
        ]),
      ),
    );
    const withGpu = outputs.reduce((sum, { stdout }) => sum + Number(stdout), 0);
    expect(withGpu).toBe(8);
    const provider = openSimulated({ site: "s", hosts: [gpuHost("h", "A100=8")], directory });
    const machines = provider.platform.machines();
    expect(machines).toHaveLength(processes * machinesEach);
    const assigned = machines.flatMap((each) => each.spec.gpus.map((gpu) => gpu.deviceId));
    expect(new Set(assigned).size).toBe(8);
    expect(assigned).toHaveLength(8);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
