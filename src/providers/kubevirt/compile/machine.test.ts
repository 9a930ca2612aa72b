import { describe, expect, test } from "vitest";

import { factsNote } from "#test/kube/facts.ts";
import { readSchemas } from "#test/kube/schema.ts";

import type { MachineAsk } from "./facts.ts";
import { type CompiledMachine, compileMachine } from "./machine.ts";
import { printSizes } from "./pod-size.ts";
import { a100, claimed, databaseAsk, gib, testAsk, trainingAsk, vgpu } from "./test-ask.ts";

function compiled(ask: MachineAsk): CompiledMachine {
  const result = compileMachine(ask);
  if ("refusals" in result) throw new Error(result.refusals.map((r) => r.message).join("\n"));
  return result;
}

const bodyOf = (ask: MachineAsk) => compiled(ask).machine.spec.template.spec;
const gpu = (resource: string) => ({ deviceId: "0", model: "A100", slice: 1, resource });

test("R-CPU-02, R-CPU-04: the topology of the spec is that of the guest", () => {
  const { domain } = bodyOf(testAsk({ spec: { cpu: { sockets: 2, cores: 3, threads: 2 } } }));
  expect(domain.cpu).toMatchObject({ sockets: 2, cores: 3, threads: 2 });
  expect(domain.resources?.requests).toEqual({ cpu: "12" });
});

test("R-CPU-06, R-CPU-07, R-CPU-08: the model of the CPU", () => {
  const models = [
    { model: "host-passthrough" } as const,
    { model: "host-model" } as const,
    {
      model: "named",
      name: "Cascadelake-Server",
      features: [{ name: "avx512f", policy: "require" }],
    } as const,
  ].map((cpu) => bodyOf(testAsk({ policy: { cpu } })).domain.cpu);
  expect(models).toMatchObject([
    { model: "host-passthrough" },
    { model: "host-model" },
    { model: "Cascadelake-Server", features: [{ name: "avx512f", policy: "require" }] },
  ]);
});

test("R-CORE-03, R-CPU-09: overcommit is a smaller request, at most 1:1.5", () => {
  const { machine, size } = compiled(testAsk({ policy: { overcommitPercent: 150 } }));
  const { resources } = machine.spec.template.spec.domain;
  expect(resources?.requests).toEqual({ cpu: "2667m" });
  expect(printSizes(size.requests)["cpu"]).toBe("2667m");
});

test("R-CORE-04, R-CPU-10, R-CPU-11, I-VM-01, I-VM-02: a core machine has its CPUs for itself", () => {
  const { machine, size } = compiled(testAsk({ spec: { serviceClass: "core" } }));
  const { cpu, resources } = machine.spec.template.spec.domain;
  expect(cpu?.dedicatedCpuPlacement).toBe(true);
  expect(resources).toBeUndefined();
  expect(size.qos).toBe("Guaranteed");
});

test("R-MEM-02: core machines stay off nodes that merge pages", () => {
  const { affinity } = bodyOf(testAsk({ spec: { serviceClass: "core" } }));
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  expect(terms?.nodeSelectorTerms[0]?.matchExpressions).toContainEqual({
    key: "kubevirt.io/ksm-enabled",
    operator: "NotIn",
    values: ["true"],
  });
});

test("R-MEM-04, R-MEM-07, R-PROF-03, R-PROF-04: training: 16 CPUs, huge pages, two GPUs, virtio, never moved", () => {
  const body = bodyOf(trainingAsk());
  expect(body.domain).toMatchObject({
    cpu: { cores: 8, threads: 2, model: "host-passthrough", dedicatedCpuPlacement: true },
    memory: { guest: "128Gi", hugepages: { pageSize: "2Mi" } },
    devices: {
      gpus: [
        { name: "gpu-0", deviceName: a100 },
        { name: "gpu-1", deviceName: a100 },
      ],
    },
  });
  expect(new Set(body.domain.devices.disks?.map(({ disk }) => disk?.bus))).toEqual(
    new Set(["virtio"]),
  );
  expect(body.evictionStrategy).toBe("External");
});

test("R-PROF-02, R-GPU-06: training machines of a tenant go to GPU nodes, apart", () => {
  const { machine } = compiled(trainingAsk());
  const { nodeSelector, affinity, tolerations } = machine.spec.template.spec;
  expect(nodeSelector).toEqual({ "example.test/gpu-memory": "80" });
  expect(tolerations).toEqual([{ key: "gpu", operator: "Exists" }]);
  const [term] = affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  expect(machine.spec.template.metadata?.labels).toMatchObject(
    term?.labelSelector.matchLabels ?? { missing: "" },
  );
});

test("R-PROF-09, R-PROF-10, I-VM-04: a database: no threads, pages of 1 GiB, data and log apart, queues", () => {
  const { machine } = compiled(databaseAsk());
  const { domain } = machine.spec.template.spec;
  expect(domain.cpu?.threads).toBe(1);
  expect(domain.memory).toEqual({ guest: "64Gi", hugepages: { pageSize: "1Gi" } });
  expect(domain.devices.networkInterfaceMultiqueue).toBe(true);
  expect(
    domain.devices.disks?.map(({ name, disk, dedicatedIOThread }) => [
      name,
      disk?.bus,
      dedicatedIOThread,
    ]),
  ).toEqual([
    ["root", "virtio", undefined],
    ["data", "virtio", true],
    ["log", "virtio", true],
    ["init", "virtio", undefined],
  ]);
  const classes = machine.spec.dataVolumeTemplates?.map(({ spec }) => [
    spec.storage.storageClassName,
    spec.storage.accessModes,
  ]);
  expect(classes).toEqual([
    ["ceph-block", ["ReadWriteMany"]],
    ["ceph-block", ["ReadWriteMany"]],
    ["local", ["ReadWriteOnce"]],
  ]);
});

test.each(["vgpu", "mig-vgpu"] as const)(
  "R-GPU-02, R-GPU-05: a %s by its resource name, of mediated devices as of virtual functions; the console shows the emulated screen",
  (kind) => {
    const site = {
      gpus: new Map([[vgpu, { model: "A100", kind, by: { plugin: true } } as const]]),
    };
    const { gpus } = bodyOf(testAsk({ site, spec: { gpus: [gpu(vgpu)] } })).domain.devices;
    expect(gpus).toEqual([
      { name: "gpu-0", deviceName: vgpu, virtualGPUOptions: { display: { enabled: false } } },
    ]);
  },
);

test("R-PROF-10: disks have threads by KubeVirt's own rule, or a pool of so many, for which a core machine has CPUs; one CPU has one queue", () => {
  expect(bodyOf(testAsk()).domain).toMatchObject({ ioThreadsPolicy: "auto" });
  const core = { serviceClass: "core", cpu: { sockets: 4, cores: 1, threads: 1 } } as const;
  const { machine, size } = compiled(testAsk({ spec: core, policy: { ioThreads: { pool: 4 } } }));
  expect(machine.spec.template.spec.domain).toMatchObject({
    ioThreadsPolicy: "supplementalPool",
    ioThreads: { supplementalPoolThreadCount: 4 },
  });
  expect(printSizes(size.requests)["cpu"]).toBe("8");
  const one = bodyOf(testAsk({ spec: { cpu: { sockets: 1, cores: 1, threads: 1 } } }));
  expect(one.domain.devices).toMatchObject({
    networkInterfaceMultiqueue: false,
    blockMultiQueue: false,
  });
});

test("R-MEM-03: the balloon stays attached, for what it tells; nothing is promised by it, since no limit is written", () => {
  const { devices, resources } = bodyOf(testAsk()).domain;
  expect(devices).not.toHaveProperty("autoattachMemBalloon");
  expect(resources).not.toHaveProperty("limits");
});

test("R-GPU-03: a GPU of a device class is claimed, one request each", () => {
  const { machine, claim } = compiled(testAsk({ spec: { gpus: [gpu(claimed), gpu(claimed)] } }));
  const body = machine.spec.template.spec;
  expect(claim?.spec.spec.devices.requests.map(({ name }) => name)).toEqual(["gpu-0", "gpu-1"]);
  expect(body.domain.devices.gpus?.[1]).toEqual({
    name: "gpu-1",
    claimName: "gpus",
    requestName: "gpu-1",
  });
  expect(body.resourceClaims?.[0]?.resourceClaimTemplateName).toBe(claim?.metadata.name);
});

test("what may move does, and wishes for the node that placement chose", () => {
  const body = bodyOf(testAsk());
  expect(body.evictionStrategy).toBe("LiveMigrateIfPossible");
  const wish = body.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution;
  expect(wish?.[0]?.preference.matchExpressions[0]?.values).toEqual(["node-1"]);
});

test("user data of 3,000 bytes goes by a Secret, whole, beside our account", () => {
  const userData = `#!/bin/sh\n${"x".repeat(3000)}`;
  const { machine, secret } = compiled(testAsk({ spec: { userData } }));
  const init = machine.spec.template.spec.volumes?.find(({ name }) => name === "init");
  expect(init?.cloudInitNoCloud).toEqual({ secretRef: { name: secret.metadata.name } });
  const text = Buffer.from(secret.data["userdata"] ?? "", "base64").toString();
  const parts = text.split("--millrace-00000000-0000-4000-8000-000000000001");
  const contents = parts.slice(1, 3).map((part) => {
    const body = part.split("\n\n").slice(1).join("");
    return Buffer.from(body, "base64").toString();
  });
  expect(contents[0]).toBe(userData);
  expect(contents[1]).toContain("ssh-ed25519 AAAA someone");
  expect(parts[1]).toContain("text/x-shellscript");
});

test("a machine that is to be off is halted, and the same otherwise", () => {
  const on = compiled(testAsk()).machine;
  const off = compiled({ ...testAsk(), power: "off" }).machine;
  expect(on.spec.runStrategy).toBe("RerunOnFailure");
  expect(off).toEqual({ ...on, spec: { ...on.spec, runStrategy: "Halted" } });
});

test("the same facts give the same objects, byte for byte", () => {
  expect(JSON.stringify(compiled(trainingAsk()).machine)).toBe(
    JSON.stringify(compiled(trainingAsk()).machine),
  );
});

describe(`against the schemas${factsNote}`, () => {
  const schemas = readSchemas();
  const asks: Readonly<Record<string, MachineAsk>> = {
    plain: testAsk(),
    training: trainingAsk(),
    database: databaseAsk(),
    claimed: testAsk({ spec: { gpus: [gpu(claimed)] } }),
    vgpu: testAsk({ spec: { gpus: [gpu(vgpu)] } }),
    threads: testAsk({ policy: { ioThreads: { pool: 4 }, secondNetwork: "net/fast" } }),
    pinned: testAsk({ policy: { node: "pinned", antiAffinity: true } }),
    numa: testAsk({
      spec: { serviceClass: "core", memoryBytes: 4 * gib },
      policy: { numa: true, hugePages: "1Gi", isolateEmulator: true },
    }),
    kept: {
      ...testAsk(),
      rootFrom: { kind: "volume-snapshot", namespace: testAsk().namespace.name, name: "kept" },
    },
    fetched: { ...testAsk(), rootFrom: { kind: "registry", url: "docker://example.test/disk" } },
  };

  test.skipIf(schemas.kinds.length === 0).for(Object.keys(asks))("%s", (name) => {
    const { machine, secret, service, claim } = compiled(asks[name] ?? testAsk());
    const objects = [machine, secret, service, ...(claim === undefined ? [] : [claim])];
    expect(objects.flatMap((object) => schemas.problems(object))).toEqual([]);
  });
});
