/** The driver on the test cluster, to be hurt: what it logs is kept, what the cluster has can be counted. */
import { expect, onTestFinished } from "vitest";

import { machineName, namespaceName } from "#providers/kubevirt/compile/names.ts";
import type { Cluster } from "#providers/kubevirt/client/cluster.ts";
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import type { ClusterSettings } from "#providers/kubevirt/driver/settings.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Machine, MachineSpec, Provider } from "#providers/provider.ts";
import type { Document } from "#test/kube/api/document.ts";
import { startTestCluster, type TestCluster } from "#test/kube/driver-cluster.ts";

interface Logged {
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Rig {
  readonly cluster: TestCluster;
  readonly provider: KubevirtProvider;
  readonly logged: readonly Logged[];
  /** Another process with the same settings. */
  another(): KubevirtProvider;
  count(request: string): number;
}

interface RigOptions {
  readonly now?: () => number;
  readonly bootMs?: number;
  readonly settings?: Partial<ClusterSettings>;
  /** How it signs in. */
  readonly as?: (cluster: Cluster) => Cluster;
}

/** Closed when the test is over. */
export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const { now = Date.now, as = (each) => each, bootMs = 0 } = options;
  const cluster = await startTestCluster({ now, bootMs });
  const logged: Logged[] = [];
  const opened: KubevirtProvider[] = [];
  const another = (): KubevirtProvider => {
    const provider = new KubevirtProvider({
      settings: { ...cluster.settings, ...options.settings },
      cluster: as(cluster.server.cluster()),
      now,
      log: (fields, message) => logged.push({ fields, message }),
    });
    opened.push(provider);
    return provider;
  };
  const provider = another();
  onTestFinished(async () => {
    await Promise.all(opened.map((each) => each.close()));
    await cluster.close();
  });
  return {
    cluster,
    provider,
    logged,
    another,
    count: (request) => cluster.server.requests.get(request) ?? 0,
  };
}

const callMs = 60_000;

export function read(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(callMs) };
}

export function call(spec: MachineSpec, operationId: string) {
  return { ...read(), operationId, owner: spec.owner };
}

export function placeOf(spec: MachineSpec) {
  return { namespace: namespaceName(spec.owner.projectId), name: machineName(spec.id) };
}

/** What the cluster itself has, past any watch. */
export function all({ cluster }: Rig, kind: Kind): readonly Document[] {
  return cluster.server.objects.store.all(kind);
}

export function stored({ cluster }: Rig, spec: MachineSpec, kind: Kind = kinds.machine) {
  return cluster.server.objects.store.get(kind, placeOf(spec));
}

export async function shown(provider: Provider, spec: MachineSpec): Promise<Machine> {
  const machine = await provider.machine(read(), spec.id);
  if (machine === undefined) throw new Error(`there is no machine ${spec.id}`);
  return machine;
}

/** Until its guest has answered. */
export async function running(provider: Provider, spec: MachineSpec): Promise<Machine> {
  await expect.poll(async () => (await provider.machine(read(), spec.id))?.guest.ready).toBe(true);
  return shown(provider, spec);
}

export async function made(rig: Rig, spec: MachineSpec): Promise<Machine> {
  await rig.provider.create(call(spec, `${spec.id}:create`), spec);
  const machine = await running(rig.provider, spec);
  // And that it runs is written down, so that nothing is written by itself any more.
  await expect
    .poll(() => stored(rig, spec)?.metadata.annotations?.["millrace.dev/run"])
    .toContain("readyAt");
  return machine;
}
