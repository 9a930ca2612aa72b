/** Creating, adopting, listing and deleting: nothing twice, nothing of others, nothing half. */
import { randomUUID } from "node:crypto";
import { expect } from "vitest";

import type { Bench } from "./rig.ts";
import type { Check } from "./record.ts";

async function copies(bench: Bench, id: string): Promise<number> {
  const listing = await bench.provider.machines(bench.read);
  expect(listing.complete).toBe(true);
  expect(listing.failedScopes).toEqual([]);
  return listing.items.filter((machine) => machine.id === id).length;
}

export const identityChecks: readonly Check[] = [
  {
    id: "info",
    title: "says what it is, and why of everything that it cannot do",
    run: async ({ provider, read }) => {
      const info = await provider.info(read);
      expect(info.site).toBe(provider.site);
      expect(info.executionReason).not.toBe("");
      const { idempotency, ...capabilities } = info.capabilities;
      expect(idempotency).not.toBe("");
      for (const capability of Object.values(capabilities)) {
        if (!capability.can) expect(capability.because).not.toBe("");
      }
    },
  },
  {
    id: "create-ready",
    title: "creates what was asked for and gets the guest ready",
    run: async (bench) => {
      const machine = await bench.resident();
      const spec = bench.rig.spec();
      expect(machine).toMatchObject({
        owner: bench.rig.owner,
        hostId: spec.hostId,
        cpu: spec.cpu,
        memoryBytes: spec.memoryBytes,
        diskBytes: spec.diskBytes,
        power: { value: "running" },
        pendingResize: false,
      });
      expect(machine.guest.readyAt).toBeGreaterThanOrEqual(machine.powerSince);
      expect(machine.power.at).toBeGreaterThanOrEqual(machine.powerSince);
      expect(machine.start).toBeDefined();
    },
  },
  {
    id: "create-repeat",
    title: "adopts on a repeated create, by operation id and by machine id",
    run: async (bench) => {
      const spec = bench.spec();
      const call = bench.call();
      const first = await bench.provider.create(call, spec);
      expect(await bench.provider.create(call, spec)).toEqual(first);
      const other = await bench.provider.create(bench.call(), spec);
      expect(other.machineId).toBe(spec.id);
      await bench.done(first);
      await bench.done(other);
      expect(await copies(bench, spec.id)).toBe(1);
      await bench.remove(spec.id);
      // The repeat of an operation that is over brings nothing back.
      await bench.provider.create(call, spec).catch(() => undefined);
      expect(await bench.provider.machine(bench.read, spec.id)).toBeUndefined();
    },
  },
  {
    id: "create-concurrent",
    title: "makes one machine of two concurrent creates",
    run: async (bench) => {
      const spec = bench.spec();
      const refs = await Promise.all([
        bench.provider.create(bench.call(), spec),
        bench.provider.create(bench.call(), spec),
      ]);
      await Promise.all(refs.map((ref) => bench.done(ref)));
      expect(await copies(bench, spec.id)).toBe(1);
      await bench.remove(spec.id);
    },
  },
  {
    id: "create-owner",
    title: "refuses to create over another owner's machine",
    run: async (bench) => {
      const { id } = await bench.resident();
      const owner = { ...bench.rig.owner, tenantId: randomUUID() };
      const spec = bench.rig.spec({ id, owner });
      await bench.fails(bench.provider.create(bench.call({ owner }), spec), "refused");
      expect((await bench.machine(id)).owner).toEqual(bench.rig.owner);
    },
  },
  {
    id: "create-host",
    title: "refuses a host that is not there, and leaves nothing",
    run: async (bench) => {
      const spec = bench.spec({ hostId: "no-such-host" });
      const error = await bench.rejection(bench.provider.create(bench.call(), spec));
      expect(error.effect).toBe("none");
      expect(await bench.provider.machine(bench.read, spec.id)).toBeUndefined();
    },
  },
  {
    id: "create-abort",
    title: "leaves no half state when the caller gives up",
    run: async (bench) => {
      const spec = bench.spec();
      const before = bench.call({ signal: AbortSignal.abort() });
      expect((await bench.rejection(bench.provider.create(before, spec))).effect).toBe("none");
      expect(await bench.provider.machine(bench.read, spec.id)).toBeUndefined();

      const during = new AbortController();
      const call = bench.call({ signal: during.signal });
      const outcome = bench.provider.create(call, spec).then(
        () => "accepted",
        (error: unknown) => error,
      );
      during.abort();
      const result = await outcome;
      if (result !== "accepted") {
        const { effect } = await bench.rejection(Promise.reject(result));
        const there = (await bench.provider.machine(bench.read, spec.id)) !== undefined;
        if (effect !== "maybe") expect(there).toBe(effect === "done");
      }
      await bench.done(await bench.provider.create({ ...call, ...bench.read }, spec));
      expect(await copies(bench, spec.id)).toBe(1);
      await bench.remove(spec.id);
    },
  },
  {
    id: "restart",
    title: "knows its machines and operations after a restart of the driver",
    run: async (bench) => {
      const before = await bench.resident();
      const call = bench.call();
      const ref = await bench.provider.power(call, before.id, { to: "reboot" });
      await bench.restart();
      await bench.done(ref);
      const after = await bench.ready(before.id);
      expect(after.owner).toEqual(before.owner);
      expect(after.powerSince).toBe(before.powerSince);
      expect(await copies(bench, before.id)).toBe(1);
      expect(await bench.provider.power(call, before.id, { to: "reboot" })).toEqual(ref);
      expect((await bench.machine(before.id)).guest.readyAt).toBe(after.guest.readyAt);
    },
  },
  {
    id: "operation-unknown",
    title: "says of an operation that it has no record",
    run: async (bench) => {
      const { id } = await bench.resident();
      const ref = { id: randomUUID(), machineId: id, native: "" };
      expect(await bench.provider.operation(bench.read, ref)).toEqual({ state: "unknown" });
    },
  },
  {
    id: "listing",
    title: "lists its hosts and every machine once, and says that it is complete",
    run: async (bench) => {
      const { id } = await bench.resident();
      expect(await copies(bench, id)).toBe(1);
      const hosts = await bench.provider.hosts(bench.read);
      expect(hosts.complete).toBe(true);
      const host = hosts.items.find((each) => each.id === bench.rig.spec().hostId);
      expect(host?.state).toBe("up");
      expect(host?.cpus).toBeGreaterThan(0);
    },
  },
  {
    id: "missing",
    title: "tells a machine that it does not have: undefined, not_found, effect none",
    run: async (bench) => {
      const id = randomUUID();
      const { provider, read } = bench;
      expect(await provider.machine(read, id)).toBeUndefined();
      await bench.fails(provider.power(bench.call(), id, { to: "start" }), "not_found");
      await bench.fails(provider.resize(bench.call(), id, { memoryBytes: 2 ** 28 }), "not_found");
      const { capabilities } = await provider.info(read);
      const snapshot = { id: randomUUID(), name: "a", withMemory: false };
      if (capabilities.snapshotDiskOnly.can) {
        await bench.fails(provider.snapshot(bench.call(), id, snapshot), "not_found");
        await bench.fails(provider.revert(bench.call(), id, snapshot.id), "not_found");
        await bench.fails(provider.deleteSnapshot(bench.call(), id, snapshot.id), "not_found");
        await bench.fails(provider.snapshots(read, id), "not_found");
      }
      if (capabilities.serialConsole.can) {
        await bench.fails(provider.console(read, id, "serial"), "not_found");
      }
      await bench.fails(provider.workloadLog(read, id, { offset: 0, bytesMax: 1 }), "not_found");
      await bench.fails(provider.workloadResults(read, id), "not_found");
      expect(await provider.samples(read, [id])).toEqual([]);
      expect(await provider.activity(read, [id])).toEqual([]);
    },
  },
  {
    id: "delete-owner",
    title: "refuses to delete another owner's machine",
    run: async (bench) => {
      const { id } = await bench.resident();
      const owner = { ...bench.rig.owner, resourceId: randomUUID() };
      await bench.fails(bench.provider.delete(bench.call({ owner }), id), "refused");
      expect((await bench.machine(id)).power.value).toBe("running");
    },
  },
  {
    id: "delete-repeat",
    title: "deletes once, however often it is asked, and deletes what is missing",
    run: async (bench) => {
      const { id } = await bench.resident();
      const call = bench.call();
      const ref = await bench.provider.delete(call, id);
      expect((await bench.provider.delete(call, id)).id).toBe(ref.id);
      await bench.gone(ref);
      expect(await copies(bench, id)).toBe(0);
      await bench.gone(await bench.provider.delete(call, id));
      await bench.remove(id);
      await bench.gone(await bench.provider.delete(bench.call(), randomUUID()));
    },
  },
];
