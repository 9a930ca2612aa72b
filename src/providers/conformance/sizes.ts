/** Resizes, snapshots and GPUs: as the capabilities say, or refused with the reason. */
import { randomUUID } from "node:crypto";
import { expect } from "vitest";

import type { Capability, Machine, Resize } from "#providers/provider.ts";

import type { Bench } from "./rig.ts";
import type { Check } from "./record.ts";

const mib = 1024 ** 2;

export const sizeChecks: readonly Check[] = [
  {
    id: "resize-cpu",
    title: "changes the CPUs, live or at the next start",
    run: async (bench) => {
      const { cpu } = await bench.resident();
      const to = { cpu: { ...cpu, cores: cpu.cores * 2 } };
      await resizes(bench, to, (capabilities) => capabilities.resizeCpuLive);
    },
  },
  {
    id: "resize-memory",
    title: "changes the memory, live or at the next start",
    run: async (bench) => {
      const { memoryBytes } = await bench.resident();
      const to = { memoryBytes: memoryBytes + 128 * mib };
      await resizes(bench, to, (capabilities) => capabilities.resizeMemoryLive);
    },
  },
  {
    id: "disk-grow",
    title: "grows the disk, live or at the next start, and never shrinks it",
    run: async (bench) => {
      const { id, diskBytes } = await bench.resident();
      const to = { diskBytes: diskBytes + 64 * mib };
      const { diskGrow } = (await bench.provider.info(bench.read)).capabilities;
      const grow = () => bench.provider.resize(bench.call(), id, to);
      if (!(await bench.can(diskGrow, grow))) {
        expect((await bench.machine(id)).diskBytes).toBe(diskBytes);
        return;
      }
      await resizes(bench, to, (capabilities) => capabilities.diskGrowLive);
      const shrink = bench.provider.resize(bench.call(), id, { diskBytes });
      await bench.fails(shrink, "refused");
      expect((await bench.machine(id)).diskBytes).toBe(to.diskBytes);
    },
  },
  {
    id: "snapshot-memory",
    title: "takes, lists, reverts to and deletes a snapshot with memory",
    run: (bench) => snapshots(bench, true),
  },
  {
    id: "snapshot-disk",
    title: "takes, lists, reverts to and deletes a snapshot of the disk",
    run: (bench) => snapshots(bench, false),
  },
  {
    id: "snapshot-kept",
    title: "M-VM-04: keeps a snapshot beyond its machine, and makes a machine of it",
    run: keptSnapshot,
  },
  {
    id: "clone",
    title:
      "makes another machine of a snapshot while its machine runs on, and lets the snapshot go",
    run: cloned,
  },
  {
    id: "gpu-once",
    title: "gives a whole GPU to one machine only",
    run: async (bench) => {
      const { capabilities } = await bench.provider.info(bench.read);
      const hosts = await bench.provider.hosts(bench.read);
      const { hostId } = bench.rig.spec();
      const device = hosts.items.find((host) => host.id === hostId)?.gpus[0];
      const gpus = [
        { deviceId: device?.id ?? "no-such-gpu", model: device?.model ?? "none", slice: 1 },
      ];
      const spec = bench.spec({ gpus });
      const create = () => bench.provider.create(bench.call(), spec);
      if (!(await bench.can(capabilities.gpus, create))) return;
      await bench.done(await create());
      const second = bench.provider.create(bench.call(), bench.spec({ gpus }));
      await bench.fails(second, "capacity");
      await bench.remove(spec.id);
    },
  },
  {
    id: "gpu-resize",
    title: "adds a whole GPU to a machine that runs, and takes it away again",
    run: async (bench) => {
      const { provider, read } = bench;
      const { capabilities } = await provider.info(read);
      const { id, hostId } = await bench.resident();
      const { items } = await provider.hosts(read);
      const device = items.find((host) => host.id === hostId)?.gpus[0];
      const gpus = [
        { deviceId: device?.id ?? "no-such-gpu", model: device?.model ?? "none", slice: 1 },
      ];
      const add = () => provider.resize(bench.call(), id, { gpus });
      if (!(await bench.can(capabilities.resizeGpus, add))) return;
      await bench.done(await add());
      expect((await bench.machine(id)).power.value).toBe("running");
      const spec = bench.spec({ hostId, gpus });
      await bench.fails(provider.create(bench.call(), spec), "capacity");
      await bench.done(await provider.resize(bench.call(), id, { gpus: [] }));
      await bench.done(await provider.create(bench.call(), spec));
      await bench.remove(spec.id);
    },
  },
];

type Capabilities = Awaited<ReturnType<Bench["provider"]["info"]>>["capabilities"];

async function resizes(
  bench: Bench,
  to: Resize,
  capabilityOf: (capabilities: Capabilities) => Capability,
): Promise<void> {
  const { provider } = bench;
  const before = await bench.resident();
  const live = capabilityOf((await provider.info(bench.read)).capabilities);
  const call = bench.call();
  const ref = await provider.resize(call, before.id, to);
  await bench.done(ref);
  expect(await provider.resize(call, before.id, to)).toEqual(ref);
  const now = await bench.machine(before.id);
  expect(now.power.value).toBe("running");
  expect(now.pendingResize).toBe(!live.can);
  expect(sizesOf(now)).toEqual(live.can ? { ...sizesOf(before), ...to } : sizesOf(before));
  if (live.can) return;
  bench.note = `at the next start: ${live.because}`;
  await bench.done(await provider.power(bench.call(), before.id, { to: "stop" }));
  const after = await bench.resident();
  expect(after.pendingResize).toBe(false);
  expect(sizesOf(after)).toEqual({ ...sizesOf(before), ...to });
}

function sizesOf({ cpu, memoryBytes, diskBytes }: Machine): Resize {
  return { cpu, memoryBytes, diskBytes };
}

async function keptSnapshot(bench: Bench): Promise<void> {
  const { provider, read } = bench;
  const { capabilities } = await provider.info(read);
  const { id, diskBytes } = await bench.create();
  const wanted = { id: randomUUID(), name: "what is kept", withMemory: false };
  const keeping = bench.call();
  const remove = () => provider.delete(keeping, id, wanted.id);
  if (!(await bench.can(capabilities.keepSnapshot, remove))) {
    await bench.remove(id);
    return;
  }
  // Without the snapshot nothing is deleted.
  await bench.fails(remove(), "not_found");
  expect((await bench.machine(id)).power.value).toBe("running");
  await bench.done(await provider.snapshot(bench.call(), id, wanted));
  const removing = bench.call();
  const ref = await provider.delete(removing, id, wanted.id);
  expect((await provider.delete(removing, id, wanted.id)).id).toBe(ref.id);
  await bench.gone(ref);

  const owner = { ...bench.rig.owner, tenantId: randomUUID() };
  const foreign = bench.spec({ diskBytes, fromSnapshot: wanted.id, owner });
  await bench.fails(provider.create(bench.call({ owner }), foreign), "not_found");
  const made = await bench.create({ diskBytes, fromSnapshot: wanted.id });
  expect(made.power.value).toBe("running");
  await bench.remove(made.id);

  await bench.fails(provider.dropKept(bench.call({ owner }), id, wanted.id), "refused");
  const dropping = bench.call();
  await bench.done(await provider.dropKept(dropping, id, wanted.id));
  await bench.done(await provider.dropKept(dropping, id, wanted.id));
  await bench.done(await provider.dropKept(bench.call(), id, wanted.id));
  const late = bench.spec({ diskBytes, fromSnapshot: wanted.id });
  await bench.fails(provider.create(bench.call(), late), "not_found");
}

async function cloned(bench: Bench): Promise<void> {
  const { provider, read } = bench;
  const { clone } = (await provider.info(read)).capabilities;
  if (!clone.can) {
    expect(clone.because).not.toBe("");
    const copy = bench.spec({ fromSnapshot: randomUUID() });
    const { code, effect } = await bench.rejection(provider.create(bench.call(), copy));
    expect(["refused", "not_found"]).toContain(code);
    expect(effect).toBe("none");
    bench.because = clone.because;
    return;
  }
  const source = await bench.create();
  const { id, diskBytes } = source;
  const wanted = { id: randomUUID(), name: "for a copy", withMemory: false };
  await bench.done(await provider.snapshot(bench.call(), id, wanted));
  // Another tenant's is not there, and a copy has room for all of it.
  const owner = { ...bench.rig.owner, tenantId: randomUUID() };
  const foreign = bench.spec({ diskBytes, fromSnapshot: wanted.id, owner });
  await bench.fails(provider.create(bench.call({ owner }), foreign), "not_found");

  const copy = bench.spec({ diskBytes, fromSnapshot: wanted.id, owner: bench.rig.owner });
  const call = bench.call();
  await bench.done(await provider.create(call, copy));
  await bench.done(await provider.create(call, copy));
  const made = await bench.ready(copy.id);
  expect(made).toMatchObject({ id: copy.id, owner: copy.owner, diskBytes });
  expect((await bench.machine(id)).powerSince).toBe(source.powerSince);

  await bench.done(await provider.deleteSnapshot(bench.call(), id, wanted.id));
  expect((await bench.ready(copy.id)).powerSince).toBe(made.powerSince);
  const late = bench.spec({ diskBytes, fromSnapshot: wanted.id });
  await bench.fails(provider.create(bench.call(), late), "not_found");
  await bench.remove(id);
  // It stands by itself.
  expect((await bench.ready(copy.id)).powerSince).toBe(made.powerSince);
  await bench.remove(copy.id);
}

async function snapshots(bench: Bench, withMemory: boolean): Promise<void> {
  const { provider, read } = bench;
  const { id } = await bench.resident();
  const { capabilities } = await provider.info(read);
  const capability = withMemory ? capabilities.snapshotWithMemory : capabilities.snapshotDiskOnly;
  const wanted = { id: randomUUID(), name: "before the change", withMemory };
  const take = () => provider.snapshot(bench.call(), id, wanted);
  if (!(await bench.can(capability, take))) return;

  await bench.done(await take());
  await bench.done(await take());
  const listed = await provider.snapshots(read, id);
  expect(listed.items.filter((each) => each.id === wanted.id)).toHaveLength(1);
  expect(listed.items.find((each) => each.id === wanted.id)).toMatchObject(wanted);
  await bench.ready(id);

  await bench.done(await provider.revert(bench.call(), id, wanted.id));
  const after = await bench.resident();
  expect(after.power.value).toBe("running");
  await bench.fails(provider.revert(bench.call(), id, randomUUID()), "not_found");

  await bench.done(await provider.deleteSnapshot(bench.call(), id, wanted.id));
  await bench.done(await provider.deleteSnapshot(bench.call(), id, wanted.id));
  const left = await provider.snapshots(read, id);
  expect(left.items.filter((each) => each.id === wanted.id)).toEqual([]);
  await bench.fails(provider.revert(bench.call(), id, wanted.id), "not_found");
}
