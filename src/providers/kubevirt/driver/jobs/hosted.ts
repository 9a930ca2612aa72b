/**
 * The jobs of a cluster behind the contract: which of its machines are members of jobs, and what is done
 * to those. A machine with a workload is no VirtualMachine here but its share of one Job.
 */
import type { Readable } from "node:stream";

import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import { refused } from "#providers/kubevirt/driver/errors.ts";
import type { Hands } from "#providers/kubevirt/driver/hands.ts";
import { recordOf } from "#providers/kubevirt/driver/records.ts";
import type { Exchange } from "#providers/kubevirt/exchange/exchange.ts";
import {
  ProviderError,
  type Call,
  type Interruption,
  type Machine,
  type MachineSpec,
  type OperationRef,
  type OperationStatus,
  type ReadCall,
  type SiteFinding,
  type TenantTier,
} from "#providers/provider.ts";

import { createMember } from "./create.ts";
import { JobHands } from "./hands.ts";
import { Keeper } from "./keeper.ts";
import { QueueUpkeep } from "./queue-upkeep.ts";
import { Queues } from "./queues.ts";
import type { MemberRecord } from "./record.ts";
import { removeMember } from "./removal.ts";
import type { JobsSettings } from "./settings.ts";
import { attemptSight, memberMachine } from "./sight.ts";
import { JobsView } from "./view.ts";

export interface HostedJobsOptions {
  readonly client: KubeClient;
  readonly base: Hands;
  readonly jobs: JobsSettings;
  readonly exchange: Exchange;
  readonly now: () => number;
  /** False where another process looks after them. */
  readonly keeps: () => boolean;
  readonly onLost: (what: string, error: unknown) => void;
  readonly changed: (machineId: string) => void;
  readonly log: (fields: Readonly<Record<string, unknown>>, message: string) => void;
}

export const notOfJobs =
  "this machine is a member of a job of the cluster: it is interrupted or deleted, and nothing else";

export class HostedJobs {
  readonly view: JobsView;
  readonly #hands: JobHands;
  readonly #upkeep: QueueUpkeep;
  readonly #options: HostedJobsOptions;

  constructor(options: HostedJobsOptions) {
    this.#options = options;
    const { client, base, jobs, exchange, now, onLost, changed } = options;
    const controlPlaneId = base.settings.controlPlane;
    const { batch } = jobs;
    this.view = new JobsView({ client, controlPlaneId, batch, now, onLost, changed });
    const queues = new Queues({
      client,
      controlPlaneId,
      batch,
      hasTopology: jobs.topology !== undefined,
      now,
      onLost,
    });
    this.#hands = new JobHands({ base, jobs, view: this.view, exchange, queues });
    const { keeps, log } = options;
    this.#upkeep = new QueueUpkeep({ hands: this.#hands, log, keeps });
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { keeps, log } = this.#options;
    await Promise.all([
      this.view.follow(signal),
      this.#hands.queues.follow(signal),
      this.#upkeep.run(signal),
      new Keeper({ hands: this.#hands, log, keeps }).run(signal),
    ]);
  }

  /** Why no job runs here; `undefined` if they do. */
  async problem(signal: AbortSignal): Promise<string | undefined> {
    await this.view.whole(signal);
    return (await this.#hands.siteNow({ signal })).problem;
  }

  /** What of the queues is the matter, for their operator. */
  findings(): readonly SiteFinding[] {
    return this.#upkeep.findings();
  }

  /** Of all tenants at once; their quotas follow. */
  tell(tiers: ReadonlyMap<string, TenantTier>): void {
    this.#hands.queues.tell(tiers);
  }

  find(call: ReadCall, machineId: string): Promise<MemberRecord | undefined> {
    return this.#hands.find(call, machineId);
  }

  async machines(): Promise<readonly Machine[]> {
    return Promise.all([...this.view.members.values()].map((member) => this.machine(member)));
  }

  async machine(member: MemberRecord): Promise<Machine> {
    const { now, jobs, exchange } = this.#options;
    const seen = this.#hands.attemptOf(member);
    const sight = attemptSight(seen, { batch: jobs.batch, now: now() });
    const runs = member.run?.ended === undefined && member.run?.startedAt !== undefined;
    return memberMachine({
      member,
      seen,
      sight,
      seenAt: this.view.lostSince ?? now(),
      logBytes: runs ? await exchange.logBytes(seen.attemptId, this.#hands.nameOf(member)) : 0,
      address: this.#hands.addressOf(member),
    });
  }

  create(call: Call, spec: MachineSpec): Promise<OperationRef> {
    return createMember(this.#hands, call, spec);
  }

  remove(call: Call, machineId: string): Promise<OperationRef> {
    return removeMember(this.#hands, call, machineId);
  }

  /** The order is of the whole attempt: the agents of all members fetch it. */
  interrupt(call: Call, machineId: string, how: Interruption): Promise<OperationRef> {
    const kind = how.to === "end" ? "interrupt" : "go-on";
    return this.#hands.operate(call, { machineId, kind }, async (member) => {
      if (member.run?.ended !== undefined) return {};
      const order =
        how.to === "end"
          ? ({ to: "interrupt", graceSeconds: how.graceSeconds } as const)
          : ({ to: "run" } as const);
      await this.#options.exchange.order(member.attemptId, order);
      return {};
    });
  }

  async operation(call: ReadCall, ref: OperationRef): Promise<OperationStatus> {
    const member = await this.find(call, ref.machineId);
    if (ref.native === "delete") return { state: member === undefined ? "done" : "running" };
    const record = member && recordOf(member.operations, ref.id);
    return { state: record?.state === "done" ? "done" : "unknown" };
  }

  log(
    member: MemberRecord,
    range: { readonly offset: number; readonly bytesMax: number },
  ): Promise<Buffer> {
    const { exchange } = this.#options;
    return exchange.readLog(member.attemptId, this.#hands.nameOf(member), range);
  }

  async results(member: MemberRecord): Promise<Readable> {
    if (member.run?.ended === undefined) throw refused("the workload has not ended yet");
    const { exchange } = this.#options;
    const found = await exchange.results(member.attemptId, this.#hands.nameOf(member));
    if (found !== undefined) return found;
    throw new ProviderError("not_found", "the job left no results, or they did not come home", {
      effect: "none",
    });
  }
}
