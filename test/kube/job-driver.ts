/**
 * A driver on a cluster that runs jobs, and what a test asks of both: what is ordered goes through the
 * driver, what stands in the cluster is looked at past it.
 */
import { randomUUID } from "node:crypto";

import { vi } from "vitest";

import { namespaceName } from "#providers/kubevirt/compile/names.ts";
import { attemptIdOf } from "#providers/kubevirt/driver/jobs/record.ts";
import type { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import { jobName } from "#providers/kubevirt/jobs/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Call, Machine, MachineSpec, OperationRef, Owner } from "#providers/provider.ts";

import type { Document } from "./api/document.ts";
import { type JobCluster, type JobClusterOptions, startJobCluster } from "./job-cluster.ts";

/** On a machine under load. */
export const patience = { timeout: 60_000, interval: 20 };

export class JobDriver {
  readonly cluster: JobCluster;
  readonly signal = AbortSignal.timeout(600_000);
  provider: KubevirtProvider;

  private constructor(cluster: JobCluster) {
    this.cluster = cluster;
    this.provider = cluster.open();
  }

  static async start(options?: JobClusterOptions): Promise<JobDriver> {
    return new JobDriver(await startJobCluster(options));
  }

  async close(): Promise<void> {
    await this.provider.close();
    await this.cluster.close();
  }

  /** As after a restart; `meanwhile` happens while no driver is there. */
  async restart(meanwhile: () => void = () => undefined): Promise<void> {
    await this.provider.close();
    meanwhile();
    this.provider = this.cluster.open();
  }

  call(owner: Owner, operationId: string = randomUUID()): Call {
    return { signal: this.signal, owner, operationId };
  }

  create(spec: MachineSpec): Promise<OperationRef> {
    return this.provider.create(this.call(spec.owner), spec);
  }

  async remove(...specs: readonly MachineSpec[]): Promise<void> {
    const { provider, signal } = this;
    for (const { owner, id } of specs) await provider.delete(this.call(owner), id);
    await vi.waitFor(async () => {
      for (const { id } of specs) {
        if ((await provider.machine({ signal }, id)) !== undefined) throw new Error(`${id} stays`);
      }
    }, patience);
  }

  async machine({ id }: Pick<MachineSpec, "id">): Promise<Machine> {
    const found = await this.provider.machine({ signal: this.signal }, id);
    if (found === undefined) throw new Error(`there is no machine ${id}`);
    return found;
  }

  async reaches(
    state: "pending" | "running" | "ended",
    ...specs: readonly MachineSpec[]
  ): Promise<void> {
    for (const spec of specs) {
      await vi.waitFor(async () => {
        const now = (await this.machine(spec)).workload?.state;
        if (now !== state) throw new Error(`it is ${now}, not ${state}`);
      }, patience);
    }
  }

  /** In the order of their ranks. */
  podsOf(spec: MachineSpec): readonly Document[] {
    return this.cluster.server.objects.store
      .all(kinds.pod)
      .filter(({ metadata }) => metadata.labels?.["millrace.dev/attempt"] === attemptIdOf(spec))
      .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  podOf(spec: MachineSpec, rank = 0): Document {
    const found = this.podsOf(spec).find(({ metadata }) => metadata.name.includes(`-${rank}-`));
    if (found === undefined) throw new Error("it has no pod");
    return found;
  }

  jobOf(spec: MachineSpec): Document | undefined {
    const name = jobName(attemptIdOf(spec));
    return this.cluster.server.objects.store.get(kinds.job, { ...placeOf(spec), name });
  }

  workloadOf(spec: MachineSpec): Document {
    const name = `job-${jobName(attemptIdOf(spec))}`;
    const found = this.cluster.server.objects.store.get(kinds.workload, { ...placeOf(spec), name });
    if (found === undefined) throw new Error("Kueue has no workload of it");
    return found;
  }
}

export function placeOf({ owner }: Pick<MachineSpec, "owner">): { readonly namespace: string } {
  return { namespace: namespaceName(owner.projectId) };
}
