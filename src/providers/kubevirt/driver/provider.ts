/**
 * The driver of a Kubernetes cluster with KubeVirt. Machines are VirtualMachines in a namespace of their
 * project; what is done to them is written on them; a look at all of them asks nobody (cluster-view.ts).
 */
import type { Duplex, Readable } from "node:stream";

import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import type {
  Activity,
  Call,
  Capability,
  Host,
  Interruption,
  Listing,
  Machine,
  MachineSpec,
  OperationRef,
  OperationStatus,
  PowerAction,
  ProjectEnd,
  Provider,
  ProviderInfo,
  ReadCall,
  Resize,
  Sample,
  Snapshot,
  TenantTier,
  ToldProject,
} from "#providers/provider.ts";

import { capabilitiesOf } from "./capabilities.ts";
import type { ClusterView } from "./cluster-view.ts";
import { openConsole } from "./consoles.ts";
import { create } from "./create.ts";
import type { CrossChecker } from "./cross-checker.ts";
import { executionOf } from "./execution.ts";
import { missing, providerError, refused } from "./errors.ts";
import { siteFindings } from "./findings.ts";
import type { Hands } from "./hands.ts";
import { type HostedJobs, notOfJobs } from "./jobs/hosted.ts";
import { machineCosts } from "./machine-costs.ts";
import { refusesOf, taintLabels } from "./refuses.ts";
import { dropKept } from "./kept-snapshots.ts";
import { move } from "./moves.ts";
import { operationStatus } from "./operations.ts";
import { power } from "./power.ts";
import { removeProject } from "./project-end.ts";
import { remove } from "./removal.ts";
import { resize } from "./resize.ts";
import type { ClusterSettings } from "./settings.ts";
import type { KubevirtFacts, Site } from "./site.ts";
import { deleteSnapshot, listSnapshots, revert, takeSnapshot } from "./snapshots.ts";
import type { Strangers } from "./strangers.ts";
import type { Upkeep } from "./upkeep/upkeep.ts";
import { activity, samples } from "./usage.ts";
import { wire, type KubevirtOptions } from "./wiring.ts";

export type { KubevirtOptions };

export class KubevirtProvider implements Provider {
  readonly site: string;
  readonly #settings: ClusterSettings;
  readonly #client: KubeClient;
  readonly #view: ClusterView;
  readonly #hands: Hands;
  readonly #upkeep: Upkeep;
  readonly #crossChecker: CrossChecker;
  readonly #strangers: Strangers;
  readonly #jobs: HostedJobs | undefined;
  readonly #readSite: () => Promise<Site>;
  readonly #closed = new AbortController();
  readonly #running: Promise<unknown>;
  #lastKubevirt: KubevirtFacts | undefined;

  constructor(options: KubevirtOptions) {
    this.site = options.settings.site;
    this.#settings = options.settings;
    const parts = wire(options, this.#closed.signal);
    this.#client = parts.client;
    this.#view = parts.view;
    this.#hands = parts.hands;
    this.#upkeep = parts.upkeep;
    this.#crossChecker = parts.crossChecker;
    this.#strangers = parts.strangers;
    this.#jobs = parts.jobs;
    this.#readSite = parts.site;
    this.#running = parts.run();
  }

  info(call: ReadCall): Promise<ProviderInfo> {
    return this.#ask(async () => {
      await this.#view.whole(call.signal);
      this.#view.demandPresence();
      const site = await this.#readSite();
      const { kubevirt, kubernetesVersion } = site;
      return {
        kind: "kubevirt",
        site: this.site,
        version: `${kubevirt.version} on Kubernetes ${kubernetesVersion}`,
        ...executionOf(kubevirt),
        capabilities: {
          ...capabilitiesOf(site, this.#settings, this.#view.nodes()),
          workloads: await this.#workloads(call),
        },
        findings: [
          ...(this.#hands.claim?.findings() ?? []),
          ...this.#upkeep.findings(),
          ...this.#crossChecker.findings(),
          ...this.#strangers.findings(),
          ...(this.#jobs?.findings() ?? []),
          ...this.#view.findings(),
          ...siteFindings(site, this.#settings, this.#view.nodes()),
        ],
      };
    });
  }

  hosts(call: ReadCall): Promise<Listing<Host>> {
    return this.#list(call, async () => {
      const { overheadPercent, emulated } = await this.#kubevirt();
      const costs = machineCosts(this.#settings, overheadPercent);
      const runs = { emulated, jobs: this.#jobs !== undefined };
      return [...this.#view.nodes()].map((node) => ({
        ...node.host,
        labels: { ...node.host.labels, ...taintLabels(node, this.#settings) },
        machineCosts: costs,
        refuses: refusesOf(node, this.#settings, runs),
      }));
    });
  }

  async machines(call: ReadCall): Promise<Listing<Machine>> {
    // Before anything is read: what goes while it is read was not there any more.
    let seenUntil = Infinity;
    const listing = await this.#list(call, async () => {
      const { knownUntil = Infinity } = this.#view;
      const machines = [...this.#view.machines.values()].map((each) => this.#view.view(each));
      seenUntil = Math.min(knownUntil, this.#jobs?.view.knownUntil ?? Infinity);
      const members = (await this.#jobs?.machines()) ?? [];
      return [...machines, ...members];
    });
    return Number.isFinite(seenUntil) ? { ...listing, seenUntil } : listing;
  }

  machine(call: ReadCall, machineId: string): Promise<Machine | undefined> {
    return this.#ask(async () => {
      const found = await this.#member(call, machineId);
      if (found !== undefined) return found.jobs.machine(found.member);
      const machine = await this.#hands.find(call, machineId);
      return machine && this.#view.view(machine);
    });
  }

  changes(call: ReadCall): AsyncIterable<string> {
    return this.#view.changes(AbortSignal.any([call.signal, this.#closed.signal]));
  }

  create(call: Call, spec: MachineSpec): Promise<OperationRef> {
    const jobs = spec.workload === undefined ? undefined : this.#jobs;
    return this.#ask(() => jobs?.create(call, spec) ?? create(this.#hands, call, spec));
  }

  power(call: Call, machineId: string, action: PowerAction): Promise<OperationRef> {
    return this.#alone(call, machineId, () => power(this.#hands, call, machineId, action));
  }

  interrupt(call: Call, machineId: string, how: Interruption): Promise<OperationRef> {
    return this.#ask(async () => {
      const found = await this.#member(call, machineId);
      if (found !== undefined) return found.jobs.interrupt(call, machineId, how);
      await this.#hands.owned(call, machineId);
      throw refused("this machine runs no job that could be interrupted");
    });
  }

  resize(call: Call, machineId: string, to: Resize): Promise<OperationRef> {
    return this.#alone(call, machineId, () => resize(this.#hands, call, machineId, to));
  }

  move(call: Call, machineId: string, hostId?: string): Promise<OperationRef> {
    return this.#alone(call, machineId, () => move(this.#hands, call, machineId, hostId));
  }

  delete(call: Call, machineId: string, keep?: string): Promise<OperationRef> {
    return this.#ask(async () => {
      const found = await this.#member(call, machineId);
      if (found !== undefined) return found.jobs.remove(call, machineId);
      return remove(this.#hands, call, machineId, keep);
    });
  }

  snapshot(
    call: Call,
    machineId: string,
    snapshot: { readonly id: string; readonly name: string; readonly withMemory: boolean },
  ): Promise<OperationRef> {
    return this.#alone(call, machineId, () => takeSnapshot(this.#hands, call, machineId, snapshot));
  }

  revert(call: Call, machineId: string, snapshotId: string): Promise<OperationRef> {
    return this.#ask(() => revert(this.#hands, call, machineId, snapshotId));
  }

  deleteSnapshot(call: Call, machineId: string, snapshotId: string): Promise<OperationRef> {
    return this.#ask(() => deleteSnapshot(this.#hands, call, machineId, snapshotId));
  }

  dropKept(call: Call, machineId: string, snapshotId: string): Promise<OperationRef> {
    return this.#ask(() => dropKept(this.#hands, call, { machineId, snapshotId }));
  }

  snapshots(call: ReadCall, machineId: string): Promise<Listing<Snapshot>> {
    return this.#ask(() => listSnapshots(this.#hands, call, machineId));
  }

  operation(call: ReadCall, ref: OperationRef): Promise<OperationStatus> {
    return this.#ask(async () => {
      const found = await this.#member(call, ref.machineId);
      if (found !== undefined) return found.jobs.operation(call, ref);
      return operationStatus(this.#hands, call, ref);
    });
  }

  tellTiers(_call: ReadCall, tiers: ReadonlyMap<string, TenantTier>): Promise<void> {
    this.#jobs?.tell(tiers);
    return Promise.resolve();
  }

  tellProjects(_call: ReadCall, projects: ReadonlyMap<string, ToldProject>): Promise<void> {
    this.#hands.told.tell(projects);
    return Promise.resolve();
  }

  removeProject(
    call: ReadCall,
    project: { readonly tenantId: string; readonly projectId: string },
  ): Promise<ProjectEnd> {
    return this.#ask(() => removeProject(this.#hands, call, project));
  }

  console(call: ReadCall, machineId: string, kind: "serial" | "vnc"): Promise<Duplex> {
    return this.#alone(call, machineId, () => openConsole(this.#hands, call, machineId, kind));
  }

  workloadLog(
    call: ReadCall,
    machineId: string,
    range: { readonly offset: number; readonly bytesMax: number },
  ): Promise<Buffer> {
    return this.#ask(async () => {
      const found = await this.#member(call, machineId);
      return found === undefined
        ? this.#noWorkload(call, machineId)
        : found.jobs.log(found.member, range);
    });
  }

  workloadResults(call: ReadCall, machineId: string): Promise<Readable> {
    return this.#ask(async () => {
      const found = await this.#member(call, machineId);
      return found === undefined
        ? this.#noWorkload(call, machineId)
        : found.jobs.results(found.member);
    });
  }

  samples(call: ReadCall, machineIds: readonly string[]): Promise<readonly Sample[]> {
    return this.#ask(() => samples(this.#hands, call, machineIds));
  }

  activity(call: ReadCall, machineIds: readonly string[]): Promise<readonly Activity[]> {
    return this.#ask(() => activity(this.#hands, call, machineIds));
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#running;
    this.#client.close();
  }

  async #ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw providerError(error);
    }
  }

  /** What is old is not called complete: nothing is concluded from what it lacks. */
  #list<T>(call: ReadCall, read: () => readonly T[] | Promise<readonly T[]>): Promise<Listing<T>> {
    return this.#ask(async () => {
      await this.#hands.demandClaim(call);
      await Promise.all([this.#view.whole(call.signal), this.#jobs?.view.whole(call.signal)]);
      const items = await read();
      const isLost = (this.#view.lostSince ?? this.#jobs?.view.lostSince) !== undefined;
      const failedScopes = isLost ? [this.site] : this.#view.unreadable;
      return { items, complete: failedScopes.length === 0, failedScopes };
    });
  }

  async #noWorkload(call: ReadCall, machineId: string): Promise<never> {
    const machine = await this.#hands.find(call, machineId);
    throw machine === undefined ? missing(machineId) : refused("this machine runs no job");
  }

  /** What only a machine of its own can have done to it. */
  #alone<T>(call: ReadCall, machineId: string, work: () => Promise<T>): Promise<T> {
    return this.#ask(async () => {
      if ((await this.#member(call, machineId)) !== undefined) throw refused(notOfJobs);
      return work();
    });
  }

  /** Jobs answer for their members. */
  async #member(call: ReadCall, machineId: string) {
    const jobs = this.#jobs;
    const member = await jobs?.find(call, machineId);
    return jobs === undefined || member === undefined ? undefined : { jobs, member };
  }

  async #workloads({ signal }: ReadCall): Promise<Capability> {
    const because =
      this.#jobs === undefined
        ? "the site's settings have no part `jobs`, or the program has no place for logs and results"
        : await this.#jobs.problem(signal);
    return because === undefined ? { can: true } : { can: false, because };
  }

  /** The last that were known, where the cluster does not answer now. */
  async #kubevirt(): Promise<KubevirtFacts> {
    try {
      this.#lastKubevirt = (await this.#readSite()).kubevirt;
    } catch (error) {
      if (this.#lastKubevirt === undefined) throw error;
    }
    return this.#lastKubevirt;
  }
}
