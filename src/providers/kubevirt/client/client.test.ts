import { afterEach, beforeEach, expect, test } from "vitest";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { factsHere, factsNote } from "#test/kube/facts.ts";
import { type KubeServer, startKube } from "#test/kube/server.ts";

import { KubeClient } from "./client.ts";
import { ApplyConflictError, StatusError } from "./errors.ts";
import { clientLimits } from "./options.ts";

let server: KubeServer;
let client: KubeClient;
const call = { signal: new AbortController().signal };

beforeEach(async () => {
  server = await startKube();
  client = new KubeClient(server.cluster());
  await client.create(call, kinds.namespace, namespace("n"));
});

afterEach(async () => {
  client.close();
  await server.close();
});

function namespace(name: string) {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

function settings(name: string, data: Record<string, string>) {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "n" }, data };
}

const at = { namespace: "n", name: "c" };

test("what is created is read, applied to, patched and deleted", async () => {
  const { object } = await client.create(call, kinds.configMap, settings("c", { a: "1" }));
  expect(object.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
  expect((await client.get(call, kinds.configMap, at))?.["data"]).toEqual({ a: "1" });

  const applied = await client.apply(call, kinds.configMap, settings("d", { x: "1", y: "2" }));
  const less = await client.apply(call, kinds.configMap, settings("d", { x: "1" }));
  expect(applied.object["data"]).toEqual({ x: "1", y: "2" });
  expect(less.object["data"]).toEqual({ x: "1" });

  const patched = await client.patch(call, kinds.configMap, {
    name: at,
    patch: { data: { a: null, b: "2" } },
  });
  expect(patched?.object["data"]).toEqual({ b: "2" });
  expect(await client.delete(call, kinds.configMap, at)).toBe("deleted");
  expect(await client.delete(call, kinds.configMap, at)).toBe("absent");
  expect(await client.get(call, kinds.configMap, at)).toBeUndefined();
  expect(await client.patch(call, kinds.configMap, { name: at, patch: {} })).toBeUndefined();
});

test("applying the same again changes nothing, not even the version", async () => {
  const first = await client.apply(call, kinds.configMap, settings("c", { a: "1" }));
  const second = await client.apply(call, kinds.configMap, settings("c", { a: "1" }));
  expect(second.object.metadata.resourceVersion).toBe(first.object.metadata.resourceVersion);
});

test("a second create of the same name is AlreadyExists", async () => {
  await client.create(call, kinds.configMap, settings("c", {}));
  await expect(client.create(call, kinds.configMap, settings("c", {}))).rejects.toMatchObject({
    code: 409,
    reason: "AlreadyExists",
    objectName: "c",
  });
});

test("a field of somebody else is a conflict with their name, and is taken only by force", async () => {
  const objects = server.objects;
  objects.apply(kinds.configMap, at, settings("c", { a: "theirs", b: "theirs" }), {
    manager: "kubectl",
    validation: "Strict",
  });
  const ours = settings("c", { a: "ours", c: "ours" });
  const refused = await client.apply(call, kinds.configMap, ours).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ApplyConflictError);
  expect(refused).toMatchObject({
    code: 409,
    reason: "Conflict",
    conflicts: [{ manager: "kubectl", field: ".data.a" }],
  });

  const taken = await client.apply({ ...call, force: "take-over" }, kinds.configMap, ours);
  expect(taken.object["data"]).toEqual({ a: "ours", b: "theirs", c: "ours" });
  // Theirs no longer, so no conflict any more; the same value is nobody's conflict either.
  await client.apply(call, kinds.configMap, settings("c", { a: "again", b: "theirs" }));
});

test("a dry run tells what would be, and keeps nothing", async () => {
  const dry = { ...call, dryRun: "all" } as const;
  const { object } = await client.apply(dry, kinds.configMap, settings("c", { a: "1" }));
  expect(object["data"]).toEqual({ a: "1" });
  expect(object.metadata.resourceVersion).toBe("");
  await client.create(dry, kinds.configMap, settings("c", { a: "1" }));
  expect(await client.get(call, kinds.configMap, at)).toBeUndefined();

  await client.create(call, kinds.configMap, settings("c", { a: "1" }));
  expect(await client.delete(dry, kinds.configMap, at)).toBe("deleted");
  expect(await client.get(call, kinds.configMap, at)).toBeDefined();
});

test("what the server says beside comes with the result", async () => {
  server.faults.warnings = ['v1beta1 is "deprecated", use v1', "and a second one"];
  const { warnings } = await client.apply(call, kinds.configMap, settings("c", {}));
  expect(warnings).toEqual(['v1beta1 is "deprecated", use v1', "and a second one"]);
});

test("a delete that names a uid spares another object of the same name", async () => {
  const { object } = await client.create(call, kinds.configMap, settings("c", {}));
  await client.delete(call, kinds.configMap, at);
  await client.create(call, kinds.configMap, settings("c", {}));
  const uid = object.metadata.uid;
  await expect(client.delete({ ...call, uid }, kinds.configMap, at)).rejects.toMatchObject({
    code: 409,
    reason: "Conflict",
  });
});

test("a patch that names a version fails once the object is another", async () => {
  const { object } = await client.create(call, kinds.configMap, settings("c", {}));
  const { resourceVersion } = object.metadata;
  const patch = { metadata: { resourceVersion }, data: { a: "1" } };
  await client.patch(call, kinds.configMap, { name: at, patch });
  await expect(
    client.patch(call, kinds.configMap, { name: at, patch: { ...patch, data: { a: "2" } } }),
  ).rejects.toMatchObject({ code: 409, reason: "Conflict" });
});

test("a kind that is not installed is an error, never an absence", async () => {
  const bare = await startKube({ without: [kinds.machine] });
  const other = new KubeClient(bare.cluster(), {
    ...clientLimits,
    calls: { ...clientLimits.calls, retry: { ...clientLimits.calls.retry, attemptsMax: 1 } },
  });
  try {
    await expect(other.get(call, kinds.machine, at)).rejects.toBeInstanceOf(StatusError);
    await expect(other.delete(call, kinds.machine, at)).rejects.toMatchObject({ code: 404 });
    await expect(other.list(call, kinds.machine)).rejects.toMatchObject({ code: 404 });
    const served = await other.served(call, kinds.machine);
    expect(served).toContain("virtualmachineinstances");
    expect(served).not.toContain("virtualmachines");
    const absent = { ...kinds.machine, version: "v9" };
    expect(await other.served(call, absent)).toEqual(new Set());
  } finally {
    other.close();
    await bare.close();
  }
});

test("the server says its version", async () => {
  expect(await client.version(call)).toBe("v1.36.2");
});

test("a namespace that is going takes nothing new, and says so with a cause", async () => {
  await client.create(call, kinds.configMap, {
    ...settings("c", {}),
    metadata: { name: "c", namespace: "n", finalizers: ["millrace.dev/held"] },
  });
  await client.delete(call, kinds.namespace, { name: "n" });
  await expect(client.create(call, kinds.configMap, settings("d", {}))).rejects.toMatchObject({
    code: 403,
    causes: [{ reason: "NamespaceTerminating" }],
  });
  expect((await client.get(call, kinds.namespace, { name: "n" }))?.["status"]).toEqual({
    phase: "Terminating",
  });
  const release = { metadata: { finalizers: null } };
  await client.patch(call, kinds.configMap, { name: at, patch: release });
  await expect.poll(() => client.get(call, kinds.namespace, { name: "n" })).toBeUndefined();
});

test("what is in no namespace that exists is refused", async () => {
  const lost = { ...settings("c", {}), metadata: { name: "c", namespace: "nowhere" } };
  await expect(client.apply(call, kinds.configMap, lost)).rejects.toMatchObject({ code: 404 });
});

test.skipIf(!factsHere)(
  `a field that the server does not know is refused with its path${factsNote}`,
  async () => {
    const machine = {
      apiVersion: "kubevirt.io/v1",
      kind: "VirtualMachine",
      metadata: { name: "m", namespace: "n" },
      spec: {
        runStrategy: "Halted",
        template: { spec: { domain: { devices: {}, overcommitAllowed: true } } },
      },
    };
    await expect(client.apply(call, kinds.machine, machine)).rejects.toMatchObject({
      code: 400,
      message: expect.stringContaining(
        'strict decoding error: unknown field "spec.template.spec.domain.overcommitAllowed"',
      ),
    });
    const mistyped = {
      ...machine,
      spec: { template: { spec: { domain: { devices: {}, cpu: { cores: "2" } } } } },
    };
    await expect(client.apply(call, kinds.machine, mistyped)).rejects.toMatchObject({
      code: 422,
      causes: [{ reason: "FieldValueTypeInvalid", field: "spec.template.spec.domain.cpu.cores" }],
    });
  },
);
