/** Throttling, refusals, lost answers and warnings while the driver works: nothing happens twice. */
import { expect, test } from "vitest";

import { present } from "#kernel/assert.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { ProviderError } from "#providers/provider.ts";
import { at, listAt, textAt } from "#test/kube/api/json.ts";
import { Refusal } from "#test/kube/api/refusal.ts";
import { setStatus } from "#test/kube/node-side/writing.ts";
import type { When } from "#test/kube/api/faults.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

import { all, call, made, read, running, shown, startRig, stored, type Rig } from "./rig.ts";

const machines = "virtualmachines.kubevirt.io";
const actions = "virtualmachines.subresources.kubevirt.io";
const runActions = "virtualmachineinstances.subresources.kubevirt.io";
const of =
  (verb: string, resource: string): When =>
  (asked) =>
    asked.verb === verb && asked.resource === resource;

const broken = (code: 500 | 503) => (): Refusal =>
  new Refusal({ code, reason: "InternalError", message: "etcdserver: request timed out" });

async function outcome(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "done",
    (error: unknown) => error,
  );
}

/** As flow does after an error: by what it says of its effect. */
async function untilMade(rig: Rig, spec: ReturnType<typeof sampleSpec>): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const end = await outcome(rig.provider.create(call(spec, `${spec.id}:create`), spec));
    if (end === "done") return tries;
    if (!(end instanceof ProviderError) || tries > 10) throw end;
    expect(["throttled", "unavailable"]).toContain(end.code);
  }
}

test("what may be repeated waits as the server says; a create that is too many is `throttled`, and one machine comes of it", async () => {
  const rig = await startRig();
  const { faults } = rig.cluster.server;
  const spec = sampleSpec();
  faults.throttle(2, 1, of("PATCH", "secrets"));
  faults.throttle(1, 1, of("PATCH", "namespaces"));
  faults.throttle(1, 1, of("POST", machines));
  const startedAt = performance.now();
  const first = await outcome(rig.provider.create(call(spec, "op"), spec));
  expect(first).toMatchObject({ code: "throttled", effect: "none" });
  expect(performance.now() - startedAt).toBeGreaterThan(2900);
  expect(all(rig, kinds.machine)).toHaveLength(0);
  await rig.provider.create(call(spec, "op"), spec);
  await running(rig.provider, spec);
  faults.throttle(2, 1, of("PATCH", machines));
  await rig.provider.power(call(spec, "off"), spec.id, { to: "stop" });
  await expect.poll(async () => (await shown(rig.provider, spec)).power.value).toBe("stopped");
  expect(all(rig, kinds.machine)).toHaveLength(1);
  expect(rig.count(`POST ${machines}`)).toBe(2);
});

test("a server that wants a longer rest than ours is not waited for", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  await made(rig, spec);
  let isBusy = true;
  const busy: When = (asked) => isBusy && of("PATCH", machines)(asked);
  rig.cluster.server.faults.throttle(100, 3600, busy);
  const end = await outcome(rig.provider.power(call(spec, "off"), spec.id, { to: "stop" }));
  expect(end).toMatchObject({ code: "throttled", effect: "none" });
  isBusy = false;
  await rig.provider.power(call(spec, "off"), spec.id, { to: "stop" });
  await expect.poll(async () => (await shown(rig.provider, spec)).power.value).toBe("stopped");
});

test.each([500, 503] as const)(
  "%i in the middle of a create: perhaps it happened, so it is looked up, and there is one",
  async (code) => {
    const rig = await startRig();
    const { faults } = rig.cluster.server;
    const spec = sampleSpec();
    faults.refuse(1, broken(code), of("POST", machines));
    const end = await outcome(rig.provider.create(call(spec, `${spec.id}:create`), spec));
    expect(end).toMatchObject({ code: "unavailable", effect: "maybe" });
    const ref = { id: `${spec.id}:create`, machineId: spec.id, native: "create" };
    expect(await rig.provider.operation(read(), ref)).toEqual({ state: "unknown" });
    expect(await rig.provider.machine(read(), spec.id)).toBeUndefined();
    await untilMade(rig, spec);
    await running(rig.provider, spec);
    expect(all(rig, kinds.machine)).toHaveLength(1);
  },
);

test("a connection that is cut after the write was done: the machine is there, and is taken over", async () => {
  const rig = await startRig();
  const { faults } = rig.cluster.server;
  const spec = sampleSpec();
  faults.loseAnswers(1, of("POST", machines));
  const end = await outcome(rig.provider.create(call(spec, "op"), spec));
  expect(end).toMatchObject({ code: "unavailable", effect: "maybe" });
  const ref = { id: "op", machineId: spec.id, native: "create" };
  await expect.poll(() => rig.provider.operation(read(), ref)).toEqual({ state: "done" });
  const { uid } = stored(rig, spec)?.metadata ?? {};
  await rig.provider.create(call(spec, "op"), spec);
  await running(rig.provider, spec);
  expect(all(rig, kinds.machine).map(({ metadata }) => metadata.uid)).toEqual([uid]);
  expect(all(rig, kinds.machineInstance)).toHaveLength(1);
});

test("a write that was done once and then throttled is never called undone", async () => {
  const rig = await startRig();
  const { faults } = rig.cluster.server;
  const spec = sampleSpec();
  await made(rig, spec);
  // The driver knows the machine's last version then: of a write that met another one nothing would be done.
  await expect.poll(() => at(stored(rig, spec), "status", "ready")).toBe(true);
  await rig.provider.power(call(spec, "on already"), spec.id, { to: "start" });
  faults.loseAnswers(1, of("PATCH", machines));
  let isBusy = true;
  const busy: When = (asked) => isBusy && of("PATCH", machines)(asked);
  faults.throttle(100, 3600, busy);
  const end = await outcome(rig.provider.power(call(spec, "off"), spec.id, { to: "stop" }));
  expect(end).toMatchObject({ effect: "maybe" });
  isBusy = false;
  await expect.poll(async () => (await shown(rig.provider, spec)).power.value).toBe("stopped");
  const ref = { id: "off", machineId: spec.id, native: "stop" };
  expect(await rig.provider.operation(read(), ref)).toEqual({ state: "done" });
});

test("a reboot whose record could not be written is not said to have had no effect, and is not done again", async () => {
  const rig = await startRig();
  const { faults } = rig.cluster.server;
  const spec = sampleSpec();
  await made(rig, spec);
  let isBusy = false;
  const busy: When = (asked) => isBusy && of("PATCH", machines)(asked);
  faults.throttle(100, 3600, busy);
  faults.onRequest = (asked) => {
    isBusy ||= of("PUT", runActions)(asked);
  };
  const reboot = () => rig.provider.power(call(spec, "again"), spec.id, { to: "reboot" });
  expect(await outcome(reboot())).toMatchObject({ effect: "maybe" });
  faults.onRequest = undefined;
  isBusy = false;
  const ref = { id: "again", machineId: spec.id, native: "reboot" };
  expect(await rig.provider.operation(read(), ref)).toEqual({ state: "unknown" });
  await reboot();
  expect(rig.count(`PUT ${runActions}`)).toBe(1);
  expect(await rig.provider.operation(read(), ref)).toEqual({ state: "done" });
});

test("a guest whose agent cannot reboot it is reset, once", async () => {
  const rig = await startRig();
  const { faults } = rig.cluster.server;
  const spec = sampleSpec();
  await made(rig, spec);
  // As virt-handler answers where the agent's own command fails in the guest.
  const message =
    "Internal error occurred: unexpected return code 500 (500 Internal Server Error), message: server error. command SoftReboot failed: \"LibvirtError(Code=113, Domain=10, Message='guest agent command failed')\"";
  const failed = (): Refusal => new Refusal({ code: 500, reason: "InternalError", message });
  faults.refuse(1, failed, of("PUT", runActions));
  await rig.provider.power(call(spec, "again"), spec.id, { to: "reboot" });
  expect(rig.count(`PUT ${runActions}`)).toBe(2);
  const ref = { id: "again", machineId: spec.id, native: "reboot" };
  expect(await rig.provider.operation(read(), ref)).toEqual({ state: "done" });
});

test("a pause is over when the node says so, and so is its end", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  await made(rig, spec);
  const { objects } = rig.cluster.server;
  for (const [to, isPaused] of [
    ["pause", true],
    ["resume", false],
  ] as const) {
    // oxlint-disable no-await-in-loop -- one after the other
    const [before] = all(rig, kinds.machineInstance);
    const { namespace, name } = present(before, "its run").metadata;
    const conditions = listAt(before, "status", "conditions");
    const ref = await rig.provider.power(call(spec, to), spec.id, { to });
    // The node has not got to it yet.
    setStatus(objects, kinds.machineInstance, { namespace, name }, { conditions });
    const value = isPaused ? "running" : "paused";
    await expect.poll(async () => (await shown(rig.provider, spec)).power.value).toBe(value);
    expect(await rig.provider.operation(read(), ref)).toEqual({ state: "running" });
    const since = objects.now();
    const paused = { type: "Paused", status: "True", lastTransitionTime: since };
    const others = conditions.filter((each) => textAt(each, "type") !== "Paused");
    const after = isPaused ? [...others, paused] : others;
    setStatus(objects, kinds.machineInstance, { namespace, name }, { conditions: after });
    await expect
      .poll(() => rig.provider.operation(read(), ref), { timeout: 30_000 })
      .toEqual({ state: "done" });
    // oxlint-enable no-await-in-loop
  }
});

test("two processes do the same at once: create, power, delete have one effect each", async () => {
  const rig = await startRig();
  const other = rig.another();
  const both = [rig.provider, other];
  const spec = sampleSpec();
  await Promise.all(both.map((each) => each.create(call(spec, "make"), spec)));
  await running(other, spec);
  expect(all(rig, kinds.machine)).toHaveLength(1);
  const [instance] = all(rig, kinds.machineInstance);
  await Promise.all(both.map((each) => each.power(call(spec, "boot"), spec.id, { to: "reboot" })));
  expect(rig.count(`PUT ${runActions}`)).toBe(1);
  expect(all(rig, kinds.machineInstance)[0]?.metadata.uid).toBe(instance?.metadata.uid);
  await Promise.all(both.map((each) => each.power(call(spec, "off"), spec.id, { to: "stop" })));
  await expect.poll(async () => (await shown(other, spec)).power.value).toBe("stopped");
  const starts = both.map((each) => each.power(call(spec, "on"), spec.id, { to: "start" }));
  await Promise.all(starts);
  await running(other, spec);
  await Promise.all(both.map((each) => each.delete(call(spec, "end"), spec.id)));
  await expect.poll(() => all(rig, kinds.machine).length).toBe(0);
  // Who comes late with the create brings nothing back.
  const late = await Promise.all(
    both.map((each) => outcome(each.create(call(spec, "make"), spec))),
  );
  expect(late).toMatchObject([{ code: "refused" }, { code: "refused" }]);
  expect(all(rig, kinds.machine)).toHaveLength(0);
  expect(rig.count(`PUT ${actions}`)).toBeLessThanOrEqual(4);
});

test("what the cluster warns of is told once each, not with every answer", async () => {
  const rig = await startRig();
  rig.cluster.server.faults.warnings = ["v1 of it is deprecated", "another"];
  await made(rig, sampleSpec());
  const warned = rig.logged.filter(({ message }) => message === "a cluster warns");
  expect(warned.map(({ fields }) => fields["warning"])).toEqual([
    "v1 of it is deprecated",
    "another",
  ]);
});
