/** What somebody does to machines in the cluster itself, past Millrace: what is seen of it, and what is put right. */
import { expect, test } from "vitest";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { MachineSpec } from "#providers/provider.ts";
import { objectAt } from "#test/kube/api/json.ts";
import { remove } from "#test/kube/api/removal.ts";
import { byController, setStatus } from "#test/kube/node-side/writing.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

import {
  all,
  call,
  made,
  placeOf,
  read,
  running,
  shown,
  startRig,
  stored,
  type Rig,
} from "./rig.ts";

const ourLabel = "millrace.dev/control-plane";

/** As `kubectl patch`. */
function edit(rig: Rig, spec: MachineSpec, patch: Record<string, unknown>, kind = kinds.machine) {
  rig.cluster.server.objects.patch(kind, placeOf(spec), patch, byController);
}

/** As `kubectl delete`. */
function deleteByHand(rig: Rig, spec: MachineSpec, kind = kinds.machine): void {
  remove(rig.cluster.server.objects, kind, placeOf(spec), { propagation: "Background" });
}

/** Looks again and again until `isSo`: at no look may it be called gone or off. */
async function neverGone(rig: Rig, spec: MachineSpec, isSo: () => boolean): Promise<void> {
  const said = new Set<string>();
  await expect
    .poll(async () => {
      const { items, complete } = await rig.provider.machines(read());
      const machine = items.find(({ id }) => id === spec.id);
      if (complete) said.add(machine?.power.value ?? "missing");
      return isSo();
    })
    .toBe(true);
  expect([...said]).toEqual(["running"]);
}

const messages = (rig: Rig) => rig.logged.map(({ message }) => message);

test("a label that somebody took off a machine, or off its run, is put back; neither is ever taken for gone", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  await made(rig, spec);
  // As KubeVirt's controller does.
  edit(rig, spec, { metadata: { finalizers: ["kubevirt.io/virtualMachineControllerFinalize"] } });
  for (const kind of [kinds.machine, kinds.machineInstance]) {
    const uid = stored(rig, spec, kind)?.metadata.uid;
    edit(rig, spec, { metadata: { labels: { [ourLabel]: null } } }, kind);
    const isBack = (): boolean =>
      stored(rig, spec, kind)?.metadata.labels?.[ourLabel] === "millrace";
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await neverGone(rig, spec, isBack);
    expect(stored(rig, spec, kind)?.metadata.uid).toBe(uid);
  }
  expect(messages(rig)).toContain("labels that somebody took off were put back");
  expect(await shown(rig.provider, spec)).toMatchObject({ power: { value: "running" } });
  expect((await shown(rig.provider, spec)).stop).toBeUndefined();
});

test("a label that was taken off while nobody watched hides nothing from who asks", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  await made(rig, spec);
  edit(rig, spec, { metadata: { labels: { "millrace.dev/machine": null } } });
  expect(await shown(rig.another(), spec)).toMatchObject({ id: spec.id });
});

test("another size by hand: the machine is shown with what it has, and that it waits for a start", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  const { memoryBytes } = await made(rig, spec);
  edit(rig, spec, { spec: { template: { spec: { domain: { memory: { guest: "8Gi" } } } } } });
  await expect.poll(async () => (await shown(rig.provider, spec)).pendingResize).toBe(true);
  expect(await shown(rig.provider, spec)).toMatchObject({
    memoryBytes,
    power: { value: "running" },
  });
  // The next resize that is asked for says what it is to have.
  await rig.provider.resize(call(spec, "resize"), spec.id, { memoryBytes: spec.memoryBytes });
  await expect.poll(async () => (await shown(rig.provider, spec)).pendingResize).toBe(false);
});

test("off by hand is off, and a start that is asked for starts it", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  await made(rig, spec);
  edit(rig, spec, { spec: { runStrategy: "Halted" } });
  await expect.poll(async () => (await shown(rig.provider, spec)).power.value).toBe("stopped");
  const { stop, powerSince } = await shown(rig.provider, spec);
  expect(stop).toEqual({
    at: powerSince,
    reason: "requested",
    detail: "it was switched off in the cluster, not by Millrace",
  });
  await rig.provider.power(call(spec, "on"), spec.id, { to: "start" });
  await running(rig.provider, spec);
  expect(stored(rig, spec)?.["spec"]).toMatchObject({ runStrategy: "RerunOnFailure" });
});

test.each(["Always", "Manual"])(
  "under the strategy %s, by hand, it is stopped and started as ever",
  async (runStrategy) => {
    const rig = await startRig();
    const spec = sampleSpec();
    await made(rig, spec);
    edit(rig, spec, { spec: { runStrategy } });
    await rig.provider.power(call(spec, "off"), spec.id, { to: "stop" });
    await expect.poll(async () => (await shown(rig.provider, spec)).power.value).toBe("stopped");
    await rig.provider.power(call(spec, "on"), spec.id, { to: "start" });
    await running(rig.provider, spec);
  },
);

test("a finalizer that somebody added: it is going until he takes it off, and is not made again", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  await made(rig, spec);
  edit(rig, spec, { metadata: { finalizers: ["example.com/mine"] } });
  const ref = await rig.provider.delete(call(spec, "end"), spec.id);
  await expect.poll(() => all(rig, kinds.machineInstance).length).toBe(0);
  expect(await rig.provider.operation(read(), ref)).toEqual({ state: "running" });
  await expect.poll(async () => (await shown(rig.provider, spec)).power.value).toBe("stopped");
  edit(rig, spec, { metadata: { finalizers: null } });
  await expect.poll(() => rig.provider.operation(read(), ref)).toEqual({ state: "done" });
});

test("a run that was deleted by hand has an end with words; the machine stays, and can be started", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  await made(rig, spec);
  deleteByHand(rig, spec, kinds.machineInstance);
  await expect.poll(async () => (await shown(rig.provider, spec)).power.value).toBe("stopped");
  expect((await shown(rig.provider, spec)).stop).toMatchObject({
    reason: "crashed",
    detail: "its run was ended in the cluster, not by Millrace",
  });
  await rig.provider.power(call(spec, "on"), spec.id, { to: "start" });
  await running(rig.provider, spec);
});

test("a machine that was deleted by hand is missing from a complete listing, and its id brings nothing back by itself", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  await made(rig, spec);
  deleteByHand(rig, spec);
  await expect
    .poll(() => rig.provider.machines(read()))
    .toMatchObject({ items: [], complete: true, failedScopes: [] });
  expect(await rig.provider.machine(read(), spec.id)).toBeUndefined();
  const start = rig.provider.power(call(spec, "on"), spec.id, { to: "start" });
  await expect(start).rejects.toMatchObject({ code: "not_found", effect: "none" });
  const end = await rig.provider.delete(call(spec, "end"), spec.id);
  expect(await rig.provider.operation(read(), end)).toEqual({ state: "done" });
  expect(all(rig, kinds.machine)).toEqual([]);
});

test("what was made for a machine goes with it when somebody deletes it by hand", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  const other = sampleSpec({ owner: { ...spec.owner, resourceId: sampleSpec().id } });
  await made(rig, spec);
  await made(rig, other);
  const partsOf = ({ id }: MachineSpec): readonly string[] =>
    [kinds.secret, kinds.service].flatMap((kind) =>
      all(rig, kind).flatMap(({ metadata: { name } }) => (name.includes(id) ? name : [])),
    );
  expect(partsOf(spec)).toHaveLength(2);
  deleteByHand(rig, spec);
  await expect.poll(() => partsOf(spec)).toEqual([]);
  expect(partsOf(other)).toHaveLength(2);
});

test("a namespace that was deleted by hand: its machines are missing, and the next one has all its walls again", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  await made(rig, spec);
  const { namespace } = placeOf(spec);
  const { objects } = rig.cluster.server;
  remove(objects, kinds.namespace, { name: namespace }, { propagation: "Background" });
  await expect.poll(() => objects.store.get(kinds.namespace, { name: namespace })).toBeUndefined();
  await expect.poll(async () => (await rig.provider.machines(read())).items).toEqual([]);
  const next = sampleSpec({ owner: { ...spec.owner, resourceId: sampleSpec().id } });
  await expect
    .poll(() =>
      rig.provider.create(call(next, "next"), next).then(
        () => "made",
        (error: unknown) => String(error),
      ),
    )
    .toBe("made");
  await running(rig.provider, next);
  const walls = all(rig, kinds.networkPolicy).filter(
    (each) => each.metadata.namespace === namespace,
  );
  expect(walls.length).toBeGreaterThan(0);
});

test("a node that was taken out of the cluster is no host any more, and its machines are shown as they are", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  const { hostId } = await made(rig, spec);
  rig.cluster.nodes.nodeIsRemoved(hostId);
  await expect
    .poll(async () => (await rig.provider.hosts(read())).items.map(({ id }) => id))
    .toEqual(["node-1", "node-2"].filter((name) => name !== hostId));
  await expect.poll(async () => (await rig.provider.machines(read())).items.length).toBe(1);
});

test("a machine that was edited so that it cannot be read is neither gone nor the end of us", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  const other = sampleSpec();
  await made(rig, spec);
  await made(rig, other);
  const place = placeOf(spec);
  const { store } = rig.cluster.server.objects;
  const { objects } = rig.cluster.server;
  const before = objects.store.get(kinds.machine, place)?.["spec"];
  const document = store.get(kinds.machine, place);
  if (document === undefined) throw new Error("there is no machine");
  store.put(kinds.machine, { ...document, spec: { template: 7 } });
  await expect.poll(async () => (await rig.provider.machines(read())).complete).toBe(false);
  const { items, failedScopes } = await rig.provider.machines(read());
  expect(items.map(({ id }) => id).toSorted()).toEqual([spec.id, other.id].toSorted());
  expect(failedScopes).toEqual([`virtualmachines/${spec.id}`]);
  const { findings = [] } = await rig.provider.info(read());
  expect(findings.map(({ message }) => message).join()).toMatch(/1 objects .* cannot be read/);
  // One who has never seen it whole says that it is there, and not what it is.
  const fresh = rig.another();
  await expect(fresh.machine(read(), spec.id)).rejects.toMatchObject({ name: "ProviderError" });
  expect((await fresh.machines(read())).complete).toBe(false);
  const again = store.get(kinds.machine, place);
  if (again === undefined) throw new Error("there is no machine");
  store.put(kinds.machine, { ...again, spec: before });
  await expect.poll(async () => (await rig.provider.machines(read())).complete).toBe(true);
  expect(await shown(fresh, spec)).toMatchObject({ power: { value: "running" } });
});

test("a copy that somebody made of a machine in another namespace is none of ours", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  await made(rig, spec);
  const { objects } = rig.cluster.server;
  const there = stored(rig, spec);
  if (there === undefined) throw new Error("there is no machine");
  const { name, labels = {}, annotations = {} } = there.metadata;
  objects.create(kinds.namespace, undefined, { metadata: { name: "a-copy" } }, byController);
  const copy = {
    metadata: { name, labels, annotations },
    spec: { ...objectAt(there, "spec"), runStrategy: "Halted" },
  };
  objects.create(kinds.machine, "a-copy", copy, byController);
  const fresh = rig.another();
  for (const provider of [rig.provider, fresh]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await shown(provider, spec)).toMatchObject({
      locator: placeOf(spec),
      power: { value: "running" },
    });
  }
  await rig.provider.delete(call(spec, "end"), spec.id);
  await expect.poll(() => stored(rig, spec)).toBeUndefined();
  expect(objects.store.get(kinds.machine, { namespace: "a-copy", name })).toBeDefined();
});

test("a guest that shut down is told as that, though KubeVirt takes its run away at once", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  await made(rig, spec);
  rig.cluster.nodes.guestEnds(placeOf(spec), "shut down");
  await expect.poll(async () => (await shown(rig.provider, spec)).power.value).toBe("stopped");
  const { stop } = await shown(rig.provider, spec);
  expect(stop).toMatchObject({ reason: "guest", detail: "the guest switched itself off" });
  await expect.poll(() => all(rig, kinds.machineInstance).length).toBe(0);
  expect((await shown(rig.provider, spec)).stop).toEqual(stop);
});

test("a guest that shut down while nobody watched stays off: no crash is made of it, and nothing later is billed than was seen", async () => {
  let ahead = 0;
  const rig = await startRig({ now: () => Date.now() + ahead });
  const spec = sampleSpec();
  await made(rig, spec);
  const { powerSince } = await shown(rig.provider, spec);
  await rig.provider.close();
  const closedAt = Date.now();
  ahead = 3_600_000;
  rig.cluster.nodes.guestEnds(placeOf(spec), "shut down");
  await expect.poll(() => all(rig, kinds.machineInstance).length).toBe(0);
  ahead = 7_200_000;
  const next = rig.another();
  await expect.poll(async () => (await shown(next, spec)).power.value).toBe("stopped");
  const { stop } = await shown(next, spec);
  expect(stop?.reason).toBe("guest");
  expect(stop?.at).toBeGreaterThanOrEqual(powerSince);
  expect(stop?.at).toBeLessThanOrEqual(closedAt);
});

test("a machine that its controller writes to again and again still takes what is asked of it", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  await made(rig, spec);
  let left = 7;
  rig.cluster.server.faults.onRequest = ({ verb, resource }) => {
    if (verb !== "PATCH" || resource !== "virtualmachines.kubevirt.io" || left === 0) return;
    left -= 1;
    edit(rig, spec, { metadata: { annotations: { "kubevirt.io/seen": String(left) } } });
  };
  await rig.provider.power(call(spec, "stop"), spec.id, { to: "stop" });
  expect(left).toBe(0);
  expect(stored(rig, spec)).toMatchObject({ spec: { runStrategy: "Halted" } });
});

test("a start right after a stop is not written before KubeVirt has seen the stop, and its run is gone", async () => {
  const rig = await startRig();
  const { objects } = rig.cluster.server;
  const spec = sampleSpec();
  await made(rig, spec);
  rig.cluster.nodes.close();
  await rig.provider.power(call(spec, "stop"), spec.id, { to: "stop" });
  const looks = "GET virtualmachines.kubevirt.io";
  const moreLooks = async () => {
    const before = rig.count(looks);
    await expect.poll(() => rig.count(looks)).toBeGreaterThan(before);
    expect(stored(rig, spec)).toMatchObject({ spec: { runStrategy: "Halted" } });
  };
  const start = rig.provider.power(call(spec, "start"), spec.id, { to: "start" });
  await moreLooks();
  setStatus(objects, kinds.machine, placeOf(spec), { runStrategy: "Halted" });
  await moreLooks();
  // Nobody runs it any more: what holds it goes, and it with that.
  const place = placeOf(spec);
  remove(objects, kinds.machineInstance, place, { propagation: "Background" });
  objects.patch(kinds.machineInstance, place, { metadata: { finalizers: null } }, byController);
  await start;
  expect(stored(rig, spec)).toMatchObject({ spec: { runStrategy: "RerunOnFailure" } });
});
