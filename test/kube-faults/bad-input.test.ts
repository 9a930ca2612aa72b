/** What must not be made is refused in words, and nothing of it is left in the cluster. */
import { expect, test } from "vitest";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { ProviderError, type MachineSpec } from "#providers/provider.ts";
import { a100 } from "#test/kube/driver-cluster.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

import { all, call, made, read, startRig, stored, type Rig } from "./rig.ts";

const a100Of = (deviceId: string) => ({ deviceId, model: "A100", slice: 1 });
const owner = sampleSpec().owner;

async function refusal(rig: Rig, spec: MachineSpec): Promise<ProviderError> {
  const outcome = await rig.provider.create(call(spec, `${spec.id}:create`), spec).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof ProviderError) return outcome;
  throw new Error(`it was not refused: ${String(outcome)}`);
}

/** Of what a machine is made of: not one. */
function left(rig: Rig): readonly string[] {
  const parts = [kinds.machine, kinds.secret, kinds.service, kinds.dataVolume, kinds.pod];
  return parts.flatMap((kind) =>
    all(rig, kind)
      .filter(({ metadata }) => metadata.namespace?.startsWith("p-"))
      .map(({ metadata }) => `${kind.plural}/${metadata.name}`),
  );
}

interface Bad {
  readonly what: string;
  readonly spec: Partial<MachineSpec>;
  readonly words: RegExp;
  readonly code?: ProviderError["code"];
}

const gib = 1024 ** 3;
const bad: readonly Bad[] = [
  {
    what: "a GPU that is not permitted",
    spec: { gpus: [a100Of("nvidia.com/GH100_H100/0")] },
    words: /offers no nvidia.com\/GH100_H100/,
  },
  {
    what: "a GPU as containers ask for it",
    spec: { gpus: [a100Of("nvidia.com/gpu/0")] },
    words: /offers no nvidia.com\/gpu/,
  },
  {
    what: "more GPUs than there are",
    spec: { gpus: [a100Of(`${a100}/0`), a100Of(`${a100}/0`)] },
    words: /has 1 of 1 .* left; 2 are asked for/,
    code: "capacity",
  },
  {
    what: "600 sockets",
    spec: { cpu: { sockets: 600, cores: 1, threads: 1 } },
    words: /600 CPUs, and no node here has more than/,
  },
  { what: "no CPU", spec: { cpu: { sockets: 0, cores: 1, threads: 1 } }, words: /CPU/ },
  { what: "minus one core", spec: { cpu: { sockets: 1, cores: -1, threads: 1 } }, words: /CPU/ },
  { what: "half a thread", spec: { cpu: { sockets: 1, cores: 1, threads: 0.5 } }, words: /CPU/ },
  { what: "no memory", spec: { memoryBytes: 0 }, words: /memory/ },
  { what: "less than no memory", spec: { memoryBytes: -gib }, words: /memory/ },
  { what: "memory that is no number", spec: { memoryBytes: Number.NaN }, words: /memory/ },
  { what: "more memory than can be said", spec: { memoryBytes: 1e300 }, words: /memory/ },
  { what: "no disk", spec: { diskBytes: 0 }, words: /disk/ },
  { what: "less than no disk", spec: { diskBytes: -1 }, words: /disk/ },
  { what: "a disk without end", spec: { diskBytes: Number.POSITIVE_INFINITY }, words: /disk/ },
  {
    what: "an image that nobody set up",
    spec: { image: "windows" },
    words: /No image windows is set up/,
  },
  { what: "an image of the prototype", spec: { image: "__proto__" }, words: /No image __proto__/ },
  { what: "a node that is not there", spec: { hostId: "node-9" }, words: /no node node-9/ },
  { what: "a node with another's path", spec: { hostId: "../../secrets" }, words: /no node/ },
  { what: "a host name with a line break", spec: { name: "a\nb" }, words: /cannot be a host name/ },
  {
    what: "a host name of another alphabet",
    spec: { name: "计算机" },
    words: /cannot be a host name/,
  },
  { what: "a network that is no label", spec: { network: "a/b c" }, words: /cannot be a label/ },
  {
    what: "a tenant that is no label",
    spec: { owner: { ...owner, tenantId: "x y" } },
    words: /cannot be a label/,
  },
  {
    what: "a project that is a path",
    spec: { owner: { ...owner, projectId: "../kube-system" } },
    words: /cannot be a label/,
  },
  { what: "an id that is a path", spec: { id: "../../m" }, words: /cannot be|no machine's id/ },
  {
    what: "user data beyond the limit",
    spec: { userData: "#".repeat(600_000) },
    words: /at most 524288 fit/,
  },
  {
    what: "a core machine with CPUs of a NUMA node",
    spec: { pinning: { numaNode: 0 } },
    words: /./,
  },
  {
    what: "a key with a line break",
    spec: { sshKeys: ["ssh-ed25519 AAAA\n- root"] },
    words: /one line/,
  },
  {
    what: "a login of hostile text",
    spec: { loginUser: "root; rm -rf /" },
    words: /name of a login/,
  },
];

test("what cannot be sold is refused with what is wrong with it, and leaves nothing behind", async () => {
  const rig = await startRig();
  const found: string[] = [];
  for (const { what, spec: change, words, code = "refused" } of bad) {
    const spec = sampleSpec(change);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const error = await refusal(rig, spec).catch((cause: unknown) => cause);
    if (!(error instanceof ProviderError)) found.push(`${what}: ${String(error)}`);
    else if (error.code !== code || error.effect !== "none" || !words.test(error.message))
      found.push(`${what}: ${error.code}, ${error.effect}, ${error.message}`);
    const there = left(rig);
    if (there.length > 0) found.push(`${what}: ${there.join(", ")}`);
  }
  expect(found).toEqual([]);
});

test("cloud-init of 3,000 bytes, and bytes of every kind, reach the guest as they are", async () => {
  const rig = await startRig();
  const texts = [
    `#cloud-config\n${"#".repeat(2_985)}`,
    "#!/bin/sh\necho '\u0000\u0001\u{1F600} \"; DROP TABLE'\n",
    "",
  ];
  for (const userData of texts) {
    const spec = sampleSpec({ userData });
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await made(rig, spec);
    const secret = all(rig, kinds.secret).find(({ metadata }) => metadata.name.includes(spec.id));
    const encoded = String(Object(secret?.["data"]).userdata);
    const text = Buffer.from(encoded, "base64")
      .toString("utf8")
      .replaceAll(/\n(?=[A-Za-z0-9+/=]+\n)/g, "");
    expect(text).toContain(Buffer.from(userData).toString("base64"));
  }
});

test("a machine that is there is not resized to what cannot be", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  await made(rig, spec);
  const before = JSON.stringify(stored(rig, spec)?.["spec"]);
  for (const [index, to] of [
    { cpu: { sockets: 0, cores: 1, threads: 1 } },
    { memoryBytes: -1 },
    { memoryBytes: 0.5 },
    { diskBytes: Number.NaN },
    { diskBytes: 1 },
  ].entries()) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const outcome = await rig.provider.resize(call(spec, `resize-${index}`), spec.id, to).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(outcome).toMatchObject({ code: "refused", effect: "none" });
  }
  expect(JSON.stringify(stored(rig, spec)?.["spec"])).toBe(before);
});

test("a name that is taken: another's machine under our id is refused and stays as it is", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  await made(rig, spec);
  const before = JSON.stringify(stored(rig, spec)?.["spec"]);
  const other = { ...spec, owner: { ...spec.owner, resourceId: sampleSpec().id } };
  expect(await refusal(rig, other)).toMatchObject({ code: "refused", effect: "none" });
  expect(JSON.stringify(stored(rig, spec)?.["spec"])).toBe(before);
  expect((await rig.provider.machines(read())).items).toHaveLength(1);
});
