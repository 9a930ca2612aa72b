/**
 * The driver of a Kubernetes cluster with KubeVirt. Machines are VirtualMachines in a namespace of their
 * project; what is done to them is written on them; a look at all of them asks nobody (cluster-view.ts).
 */
import type { Duplex, Readable } from "node:stream";

import type { MachineCosts } from "#kernel/machine-cost.ts";
import { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { Cluster } from "#providers/kubevirt/client/cluster.ts";
import { clientLimits, type ClientLimits } from "#providers/kubevirt/client/options.ts";
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
} from "#providers/provider.ts";

import type { Exchange } from "#providers/kubevirt/exchange/exchange.ts";

import { capabilitiesOf } from "./capabilities.ts";
import { ClusterView } from "./cluster-view.ts";
import { openConsole } from "./consoles.ts";
import { create } from "./create.ts";
import { CrossChecker, crossCheckEveryMs } from "./cross-checker.ts";
import { executionOf } from "./execution.ts";
import { missing, providerError, refused } from "./errors.ts";
import { siteFindings } from "./findings.ts";
import { Hands } from "./hands.ts";
import { HostedJobs, notOfJobs } from "./jobs/hosted.ts";
import { machineCosts } from "./machine-costs.ts";
import { dropKept } from "./kept-snapshots.ts";
import { move } from "./moves.ts";
import { operationStatus } from "./operations.ts";
import { power } from "./power.ts";
import { removeProject } from "./project-end.ts";
import { remove } from "./removal.ts";
import { resize } from "./resize.ts";
import { Reverts } from "./reverts.ts";
import { RunWriter } from "./run-writer.ts";
import type { ClusterSettings } from "./settings.ts";
import { readSite, type Site } from "./site.ts";
import { onceEach } from "./once-each.ts";
import { deleteSnapshot, listSnapshots, revert, takeSnapshot } from "./snapshots.ts";
import { Claim } from "./upkeep/claim.ts";
import { Standing } from "./upkeep/standing.ts";
import { Upkeep, type Mended } from "./upkeep/upkeep.ts";
import { activity, samples } from "./usage.ts";

export interface KubevirtOptions {
  readonly settings: ClusterSettings;
  readonly cluster: Cluster;
  readonly now: () => number;
  /** False: nothing is written to the cluster, for a process that looks and relays consoles. */
  readonly writes?: boolean;
  /** Where inputs, logs and results of jobs lie; without it no job runs. */
  readonly exchange?: Exchange;
  /** Of the whole installation, and of no other: whose the control plane's name is on the cluster. */
  readonly installation?: string;
  /** Told of each thing that somebody changed in the cluster and that was put right. */
  readonly onMended?: (mended: Mended) => void;
  /** How often KubeVirt's own word on when machines ran is held against ours. */
  readonly crossCheckEveryMs?: number;
  /** How often everything that stands is compared anew. */
  readonly upkeepEveryMs?: number;
  readonly log?: (fields: Readonly<Record<string, unknown>>, message: string) => void;
}

/** What the cluster is set up as changes seldom. */
const siteAgeMaxMs = 60_000;

const readingLimits: ClientLimits = {
  ...clientLimits,
  calls: { ...clientLimits.calls, onlyReads: true },
};

export class KubevirtProvider implements Provider {
  readonly site: string;
  readonly #settings: ClusterSettings;
  readonly #client: KubeClient;
  readonly #view: ClusterView;
  readonly #hands: Hands;
  readonly #upkeep: Upkeep;
  readonly #crossChecker: CrossChecker;
  readonly #jobs: HostedJobs | undefined;
  readonly #now: () => number;
  readonly #closed = new AbortController();
  readonly #running: Promise<unknown>;
  #lastCosts: MachineCosts | undefined;
  #read: { readonly at: number; readonly site: Promise<Site> } | undefined;

  constructor(options: KubevirtOptions) {
    const { settings, cluster, now, writes = true, log = () => undefined } = options;
    this.site = settings.site;
    this.#settings = settings;
    this.#now = now;
    const hear = onceEach((warning) => log({ site: settings.site, warning }, "a cluster warns"));
    const client = new KubeClient(cluster, writes ? clientLimits : readingLimits, hear);
    this.#client = client;
    const onLost = (what: string, error: unknown): void => {
      const err = error instanceof Error ? error.message : String(error);
      log({ site: settings.site, what, err }, "the watch of a cluster was lost; it is begun again");
    };
    const view = new ClusterView({
      client,
      settings,
      now,
      onLost,
      onUnreadable: (name, error) => {
        const err = error instanceof Error ? error.message : String(error);
        log({ site: settings.site, name, err }, "somebody edited it so that it cannot be read");
      },
      ...(writes
        ? {
            onRelabeled: (name: string) =>
              log({ site: settings.site, name }, "labels that somebody took off were put back"),
          }
        : {}),
    });
    this.#view = view;
    const { controlPlane } = settings;
    const { installation } = options;
    const claim =
      writes && installation !== undefined
        ? new Claim({ client, controlPlane, installation })
        : undefined;
    const standing = new Standing({ client, controlPlane, now, onLost });
    const site = (): Promise<Site> => this.#site();
    this.#hands = new Hands({ client, view, settings, now, site, standing, claim });
    this.#upkeep = new Upkeep({
      hands: this.#hands,
      onMended: (mended) => {
        log({ site: settings.site, ...mended }, "what somebody changed in a cluster was put right");
        options.onMended?.(mended);
      },
      onFailed: (what, error) => {
        const err = error instanceof Error ? error.message : String(error);
        log({ site: settings.site, what, err }, "what stands in a cluster could not be kept");
      },
      ...(options.upkeepEveryMs === undefined ? {} : { everyMs: options.upkeepEveryMs }),
    });
    const { crossCheckEveryMs: checkMs = crossCheckEveryMs } = options;
    this.#crossChecker = new CrossChecker(this.#hands, checkMs);
    const { exchange } = options;
    const { jobs } = settings;
    const base = this.#hands;
    const changed = (machineId: string): void => view.tell(machineId);
    this.#jobs =
      jobs === undefined || exchange === undefined || !writes
        ? undefined
        : new HostedJobs({
            client,
            base,
            jobs,
            exchange,
            now,
            onLost,
            changed,
            log,
            keeps: () => claim === undefined || claim.isHeld,
          });
    const { signal } = this.#closed;
    const mayWrite = (): boolean => claim === undefined || claim.isHeld;
    const writing = (): Promise<unknown>[] => [
      new RunWriter(client, view, { now, mayWrite }).run(signal),
      standing.follow(signal),
      this.#upkeep.run(signal),
      this.#crossChecker.run(signal),
      new Reverts({
        hands: this.#hands,
        mayWrite,
        onFailed: (error) => {
          const err = error instanceof Error ? error.message : String(error);
          log(
            { site: settings.site, err },
            "a revert could not be looked after; it is tried again",
          );
        },
      }).run(signal),
      ...(claim === undefined ? [] : [claim.keep(signal)]),
    ];
    this.#running = Promise.all([
      view.follow(signal),
      this.#jobs?.run(signal),
      ...(writes ? writing() : []),
    ]);
  }

  info(call: ReadCall): Promise<ProviderInfo> {
    return this.#ask(async () => {
      await this.#view.whole(call.signal);
      this.#view.demandPresence();
      const site = await this.#site();
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
          ...this.#view.findings(),
          ...siteFindings(site, this.#settings, this.#view.nodes()),
        ],
      };
    });
  }

  hosts(call: ReadCall): Promise<Listing<Host>> {
    return this.#list(call, async () => {
      const costs = await this.#costs();
      return [...this.#view.nodes()].map(({ host }) => ({ ...host, machineCosts: costs }));
    });
  }

  machines(call: ReadCall): Promise<Listing<Machine>> {
    return this.#list(call, async () => {
      const machines = [...this.#view.machines.values()];
      const members = (await this.#jobs?.machines()) ?? [];
      return [...machines.map((machine) => this.#view.view(machine)), ...members];
    });
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
  async #costs(): Promise<MachineCosts> {
    try {
      const { kubevirt } = await this.#site();
      this.#lastCosts = machineCosts(this.#settings, kubevirt.overheadPercent);
    } catch (error) {
      if (this.#lastCosts === undefined) throw error;
    }
    return this.#lastCosts;
  }

  #site(): Promise<Site> {
    const read = this.#read;
    if (read !== undefined && this.#now() - read.at < siteAgeMaxMs) return read.site;
    const nodes = [...this.#view.nodes()];
    const seen = {
      cpuModels: new Set(nodes.flatMap(({ cpuModels }) => cpuModels)),
      vcpusMax: Math.max(1, ...nodes.map(({ host }) => host.cpus)),
    };
    // Of all who ask meanwhile, so none of them may end it.
    const site = readSite(this.#client, this.#settings, seen, this.#closed.signal);
    const next = { at: this.#now(), site };
    this.#read = next;
    site.catch(() => {
      if (this.#read === next) this.#read = undefined;
    });
    return site;
  }
}
