/**
 * Jobs on a cluster that is there, on nodes that are played: a driver, the exchange with a way for the
 * agents, and what a test asks of the driver and of the cluster.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { vi } from "vitest";

import { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { namespaceName } from "#providers/kubevirt/compile/names.ts";
import { attemptIdOf } from "#providers/kubevirt/driver/jobs/record.ts";
import type { JobsSettings } from "#providers/kubevirt/driver/jobs/settings.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import { openExchange } from "#providers/kubevirt/exchange/exchange.ts";
import { jobName, tenantQueue } from "#providers/kubevirt/jobs/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Call, Machine, MachineSpec, Owner, ProjectEnd } from "#providers/provider.ts";
import { agentServer } from "#test/kube/agent-server.ts";
import type { ProgramEnd, Programs } from "#test/kube/pod-run.ts";

import { follow, soon } from "./fake-side/follow.ts";
import { jobKubelets, type JobKubelets } from "./fake-side/job-pods.ts";
import { keepNodesAlive, makeNodes, removeNodes } from "./fake-side/nodes.ts";
import { jobNodes, makeMachineClass, removeFurniture, settingsFor } from "./job-site.ts";
import { underTest } from "./under-test.ts";

const lostTaint = "millrace.dev/fake-lost";
const nodeNames = jobNodes.map(({ name }) => name);
const gib = 1024 ** 3;
export const patience = { timeout: 120_000, interval: 100 };

export class JobsUnderTest {
  readonly client: KubeClient;
  readonly #open: () => KubevirtProvider;
  readonly #closing: (() => Promise<void>)[];
  readonly #kubelets: JobKubelets;
  readonly #tenants = new Map<string, Owner>();
  provider: KubevirtProvider;

  private constructor(of: {
    readonly client: KubeClient;
    readonly open: () => KubevirtProvider;
    readonly kubelets: JobKubelets;
    readonly closing: (() => Promise<void>)[];
  }) {
    this.client = of.client;
    this.#open = of.open;
    this.#closing = of.closing;
    this.#kubelets = of.kubelets;
    this.provider = of.open();
  }

  static async start(
    programs: Programs,
    batch: JobsSettings["batch"] = "kueue",
  ): Promise<JobsUnderTest> {
    const { cluster, nodesCluster, settings: given } = await underTest();
    const client = new KubeClient(nodesCluster);
    const folder = await mkdtemp(join(tmpdir(), "millrace-exchange-"));
    const exchange = await openExchange(folder);
    const agents = await agentServer(exchange);
    const settings = settingsFor(given, { batch, agentUrl: agents.url });
    const controlPlaneId = settings.controlPlane;
    await makeMachineClass(client);
    await makeNodes(client, jobNodes);
    const ending = new AbortController();
    const { signal } = ending;
    const kubelets = jobKubelets(client, { controlPlaneId, nodes: new Set(nodeNames), programs });
    const running = Promise.all([
      keepNodesAlive(client, nodeNames, signal),
      follow(client, kubelets.followed, signal),
    ]);
    const open = () => new KubevirtProvider({ settings, cluster, now: Date.now, exchange });
    const close = async (): Promise<void> => {
      ending.abort();
      await running;
      await kubelets.close();
      await removeNodes(client, nodeNames);
      await removeFurniture(client, { batch, controlPlaneId });
      await agents.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
      client.close();
    };
    return new JobsUnderTest({ client, open, kubelets, closing: [close] });
  }

  /** Whatever a test left: the next one has the whole quota. */
  async clear(): Promise<void> {
    const { items } = await this.provider.machines(soon());
    for (const { id, owner } of items) {
      const whose = this.#tenants.get(owner?.projectId ?? "");
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      if (whose !== undefined) await this.provider.delete(this.call(whose), id);
    }
    await vi.waitFor(async () => {
      const { items: left } = await this.provider.machines(soon());
      const ours = left.filter(({ owner }) => this.#tenants.has(owner?.projectId ?? ""));
      if (ours.length > 0) throw new Error(`${ours.length} jobs stay`);
    }, patience);
  }

  /** With all that its tenants left: projects, and with them queues. */
  async close(): Promise<void> {
    await this.clear();
    await this.projectsEnd();
    await this.provider.close();
    for (const each of this.#closing) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      await each();
    }
  }

  async restart(
    meanwhile: () => Promise<void> = () => Promise.resolve(),
  ): Promise<KubevirtProvider> {
    await this.provider.close();
    await meanwhile();
    this.provider = this.#open();
    return this.provider;
  }

  /** Of a scripted program. */
  programEnds(pod: KubeObject, end: ProgramEnd): void {
    this.#kubelets.programEnds(pod.metadata.name, end);
  }

  /** Its node is silent, and an operator says so to the cluster, which ends what is on it. */
  async nodeFalls({ locator, hostId }: Pick<Machine, "locator" | "hostId">): Promise<void> {
    this.#kubelets.falls(locator["pod"] ?? "");
    await this.#taint(hostId, [{ key: lostTaint, effect: "NoExecute" }]);
  }

  nodeReturns(name: string): Promise<void> {
    return this.#taint(name, []);
  }

  async #taint(name: string, taints: readonly object[]): Promise<void> {
    await this.client.patch(soon(), kinds.node, { name: { name }, patch: { spec: { taints } } });
  }

  owner(tenantId: string = randomUUID()): Owner {
    const owner = { tenantId, projectId: randomUUID(), resourceId: randomUUID() };
    this.#tenants.set(owner.projectId, owner);
    return owner;
  }

  /** Of all tenants, and with them their queues. */
  async projectsEnd(): Promise<void> {
    await Promise.all([...this.#tenants.values()].map((owner) => this.projectEnds(owner)));
    this.#tenants.clear();
  }

  async projectEnds({ tenantId, projectId }: Owner): Promise<ProjectEnd> {
    return vi.waitFor(async () => {
      const end = await this.provider.removeProject(soon(), { tenantId, projectId });
      if (end.state !== "gone") throw new Error(`it waits for ${end.waitsFor}`);
      return end;
    }, patience);
  }

  call(owner: Owner): Call {
    return { ...soon(), owner, operationId: randomUUID() };
  }

  async create(...specs: readonly MachineSpec[]): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- in their order
    for (const spec of specs) await this.provider.create(this.call(spec.owner), spec);
  }

  async remove(...specs: readonly MachineSpec[]): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- in their order
    for (const { owner, id } of specs) await this.provider.delete(this.call(owner), id);
    await vi.waitFor(async () => {
      for (const { id } of specs) {
        // oxlint-disable-next-line no-await-in-loop -- a few
        if ((await this.provider.machine(soon(), id)) !== undefined) throw new Error(`${id} stays`);
      }
    }, patience);
  }

  async machine({ id }: Pick<MachineSpec, "id">): Promise<Machine> {
    const found = await this.provider.machine(soon(), id);
    if (found === undefined) throw new Error(`there is no machine ${id}`);
    return found;
  }

  async reaches(
    state: "pending" | "running" | "ended",
    ...specs: readonly MachineSpec[]
  ): Promise<void> {
    await vi.waitFor(async () => {
      for (const spec of specs) {
        // oxlint-disable-next-line no-await-in-loop -- a few
        const { workload, waiting } = await this.machine(spec);
        if (workload?.state === state) continue;
        throw new Error(`it is ${workload?.state}, not ${state}: ${JSON.stringify(waiting)}`);
      }
    }, patience);
  }

  async waitsFor(code: string, ...specs: readonly MachineSpec[]): Promise<void> {
    await vi.waitFor(async () => {
      for (const spec of specs) {
        // oxlint-disable-next-line no-await-in-loop -- a few
        const { waiting } = await this.machine(spec);
        if (waiting?.code !== code) throw new Error(`it says ${JSON.stringify(waiting)}`);
      }
    }, patience);
  }

  async podsOf(spec: MachineSpec): Promise<readonly KubeObject[]> {
    const { namespace } = placeOf(spec);
    const labels = `millrace.dev/attempt=${attemptIdOf(spec)}`;
    return (await this.client.list(soon(), kinds.pod, { namespace, labels })).items;
  }

  async podOf(spec: MachineSpec, rank = 0): Promise<KubeObject> {
    const pods = await this.podsOf(spec);
    const found = pods.find(
      ({ metadata: { name } }) => name.includes(`-${rank}-`) || name.endsWith(`-member-${rank}`),
    );
    if (found === undefined) throw new Error("it has no pod");
    return found;
  }

  jobOf(spec: MachineSpec): Promise<KubeObject | undefined> {
    const name = { ...placeOf(spec), name: jobName(attemptIdOf(spec)) };
    return this.client.get(soon(), kinds.job, name);
  }

  async workloadOf(spec: MachineSpec): Promise<KubeObject | undefined> {
    const job = await this.jobOf(spec);
    const labels = `kueue.x-k8s.io/job-uid=${job?.metadata.uid ?? ""}`;
    return (await this.client.list(soon(), kinds.workload, { ...placeOf(spec), labels })).items[0];
  }

  queueOf({ tenantId }: Owner, preemptible = false) {
    const name = tenantQueue(tenantId, preemptible);
    return this.client.get(soon(), kinds.clusterQueue, { name });
  }
}

export function placeOf({ owner }: Pick<MachineSpec, "owner">): { readonly namespace: string } {
  return { namespace: namespaceName(owner.projectId) };
}

export function cpus(cores: number): Pick<MachineSpec, "cpu" | "memoryBytes"> {
  return { cpu: { sockets: 1, cores, threads: 1 }, memoryBytes: gib };
}
