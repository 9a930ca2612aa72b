/**
 * How anything is done to a job: what those who ask for it and the keeper both need. What is written on a
 * member's record is written against the version that was looked at; an operation that stands there is
 * not done again.
 */
import { ourSelector, labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { isConflict, missing, refused } from "#providers/kubevirt/driver/errors.ts";
import { sameOwner, type Hands } from "#providers/kubevirt/driver/hands.ts";
import { recordOf, withRecord } from "#providers/kubevirt/driver/records.ts";
import { machinePriorityMin } from "#providers/kubevirt/driver/site.ts";
import type { Exchange } from "#providers/kubevirt/exchange/exchange.ts";
import type { JobSite, Tier } from "#providers/kubevirt/jobs/model.ts";
import { attemptLabel } from "#providers/kubevirt/jobs/names.ts";
import { memberHost, memberName } from "#providers/kubevirt/jobs/volcano.ts";
import type { Shares, TenantShare } from "#providers/kubevirt/jobs/queues.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Call, OperationRef, ReadCall } from "#providers/provider.ts";

import type { MemberRecord } from "./record.ts";
import type { JobsSettings } from "./settings.ts";
import type { Queues } from "./queues.ts";
import { capacityOf, jobSite, priorityProblem, type SiteOf, tenantShare } from "./site.ts";
import type { AttemptSeen, JobsView } from "./view.ts";

/** Somebody else may write at the same time; not for ever. */
const triesMax = 6;

export type JobLog = (fields: Readonly<Record<string, unknown>>, message: string) => void;

export interface JobsSite {
  readonly site: JobSite;
  readonly capacity: Shares;
  /** Why no job can run. */
  readonly problem: string | undefined;
}

export class JobHands {
  readonly base: Hands;
  readonly jobs: JobsSettings;
  readonly view: JobsView;
  readonly exchange: Exchange;
  readonly queues: Queues;

  constructor(of: {
    readonly base: Hands;
    readonly jobs: JobsSettings;
    readonly view: JobsView;
    readonly exchange: Exchange;
    readonly queues: Queues;
  }) {
    this.base = of.base;
    this.jobs = of.jobs;
    this.view = of.view;
    this.exchange = of.exchange;
    this.queues = of.queues;
  }

  /** As of a minute ago at most, which is enough for what goes on. */
  async site(): Promise<JobsSite> {
    const { machinePriorityMin: priorityMin } = await this.base.site();
    return this.#siteWith(priorityMin, this.view.missing);
  }

  /**
   * The same for who is about to start something: before it says no, it looks whether an operator has made
   * meanwhile what was missing.
   */
  async siteNow(call: ReadCall): Promise<JobsSite> {
    const known = await this.site();
    if (known.problem === undefined) return known;
    const { client, settings } = this.base;
    const missingNow = await this.view.missingNow(call.signal);
    const { items } = await client.list({ signal: call.signal }, kinds.priorityClass);
    return this.#siteWith(machinePriorityMin(settings, items), missingNow);
  }

  /** `ofJob`: where nobody has said anything of the tenant yet. */
  shareOf({ capacity }: JobsSite, tenantId: string, ofJob?: Tier): TenantShare {
    const tier = this.queues.tierOf(tenantId, ofJob);
    return tenantShare(this.jobs, capacity, { tenantId, tier });
  }

  #siteWith(priorityMin: number, lacking: string | undefined): JobsSite {
    const { settings, view } = this.base;
    const of: SiteOf = {
      jobs: this.jobs,
      controlPlaneId: settings.controlPlane,
      nodes: [...view.nodes()],
      machinePriorityMin: priorityMin,
    };
    return {
      site: jobSite(of),
      capacity: capacityOf(this.jobs, of.nodes),
      problem: this.#absent(lacking) ?? priorityProblem(of),
    };
  }

  #absent(lacking: string | undefined): string | undefined {
    if (lacking === undefined) return undefined;
    const name = this.jobs.batch === "kueue" ? "Kueue" : "Volcano";
    return `${name} is not installed in the cluster, or older than we speak (${lacking} is not served)`;
  }

  /** `undefined` only if the cluster answered and does not have it. */
  async find({ signal }: ReadCall, machineId: string): Promise<MemberRecord | undefined> {
    await this.view.whole(signal);
    const known = this.view.members.get(machineId);
    if (known !== undefined && this.view.lostSince === undefined) return known;
    const { settings, client } = this.base;
    const ours = `${ourSelector(settings.controlPlane)},${attemptLabel}`;
    const labels = `${ours},${labelKeys.machine}=${machineId}`;
    const { items } = await client.list({ signal }, kinds.configMap, { labels });
    for (const item of items) this.view.members.put(item);
    return items.length === 0 ? undefined : this.view.members.get(machineId);
  }

  async owned(call: Call, machineId: string): Promise<MemberRecord> {
    const member = await this.find(call, machineId);
    if (member === undefined) throw missing(machineId);
    demandOwner(member, call);
    return member;
  }

  /** What a member calls itself to the exchange. */
  nameOf(member: MemberRecord): string {
    return memberName(numbered(member), this.jobs, member.rank);
  }

  /** Under which the other members reach it; nobody reaches one that is alone. */
  addressOf(member: MemberRecord): string | undefined {
    return member.size === 1 ? undefined : memberHost(numbered(member), this.jobs, member.rank);
  }

  attemptOf(member: MemberRecord): AttemptSeen {
    return this.view.attempt(member.attemptId);
  }

  /** `act` is done before the operation is written as done; twice must be the same as once. */
  async operate(
    call: Call,
    target: { readonly machineId: string; readonly kind: string },
    act: (member: MemberRecord) => Promise<Readonly<Record<string, string>>>,
  ): Promise<OperationRef> {
    const { machineId, kind } = target;
    const { operationId: id } = call;
    for (let tries = 1; ; tries += 1) {
      const member = await this.owned(call, machineId);
      if (recordOf(member.operations, id)?.state === "done") return { id, machineId, native: kind };
      try {
        const annotations = await act(member);
        const record = withRecord(member.operations, { id, kind, state: "done" });
        await this.annotate(call, member, { ...annotations, ...record });
        return { id, machineId, native: kind };
      } catch (error) {
        if (!isConflict(error) || tries === triesMax) throw error;
        await this.look(call, member);
      }
    }
  }

  /** Throws a conflict if somebody else wrote since. */
  async annotate(
    { signal }: ReadCall,
    { namespace, name, version, machineId }: MemberRecord,
    annotations: Readonly<Record<string, string>>,
  ): Promise<void> {
    const patch = { metadata: { resourceVersion: version, annotations } };
    const change = { name: { namespace, name }, patch };
    const written = await this.base.client.patch({ signal }, kinds.configMap, change);
    if (written === undefined) throw missing(machineId);
    this.view.members.put(written.object);
  }

  /** Reads it anew, past the watch. */
  async look({ signal }: ReadCall, { namespace, name }: MemberRecord): Promise<void> {
    const object = await this.base.client.get({ signal }, kinds.configMap, { namespace, name });
    if (object !== undefined) this.view.members.put(object);
  }
}

function numbered({ attemptId, size, workload }: MemberRecord) {
  const memberIds = Array.from({ length: size }, (_, rank) => String(rank));
  return { attemptId, memberIds, framework: workload.framework ?? "none" } as const;
}

export function demandOwner({ owner, machineId }: MemberRecord, call: Call): void {
  if (owner !== undefined && sameOwner(owner, call.owner)) return;
  throw refused(`machine ${machineId} belongs to somebody else`);
}
