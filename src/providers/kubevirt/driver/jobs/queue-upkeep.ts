/**
 * Keeps what stands for jobs as it should be, without waiting for the next job: what somebody deleted or
 * edited by hand is put right as soon as a watch tells of it, quotas follow what a tenant has become and
 * what the cluster has, and the queues of a tenant go when nothing of him is left.
 *
 * What must stay true: nothing is touched while it is not certain what there is; nobody is put right
 * faster than `contest.ts` allows; in a steady state nobody is asked.
 */
import { Contest } from "#providers/kubevirt/driver/upkeep/contest.ts";
import { providerError } from "#providers/kubevirt/driver/errors.ts";
import { Nap } from "#providers/kubevirt/driver/upkeep/nap.ts";
import { rest } from "#providers/kubevirt/driver/upkeep/rest.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { ReadCall, SiteFinding } from "#providers/provider.ts";

import type { JobHands, JobLog } from "./hands.ts";
import { queuePlan } from "./queue-plan.ts";

/** Nodes come and go, and what they hold with them. */
const everyMs = 60_000;
/** Changes come in bursts. */
const gatherMs = 1_000;
/** In one pass; the rest waits for the next. */
const writesPerPassMax = 500;

export class QueueUpkeep {
  readonly #hands: JobHands;
  readonly #log: JobLog;
  readonly #keeps: () => boolean;
  readonly #contest: Contest;
  #isChanged = true;
  readonly #nap = new Nap();
  #problem: SiteFinding | undefined;

  constructor(of: {
    readonly hands: JobHands;
    readonly log: JobLog;
    /** False where this process may not write. */
    readonly keeps: () => boolean;
  }) {
    this.#hands = of.hands;
    this.#log = of.log;
    this.#keeps = of.keeps;
    const { base, queues } = of.hands;
    this.#contest = new Contest(base.now);
    const changed = (): void => {
      this.#isChanged = true;
      this.#nap.wake();
    };
    queues.listen(changed);
    base.standing.listen(changed);
  }

  findings(): readonly SiteFinding[] {
    return [...(this.#problem === undefined ? [] : [this.#problem]), ...this.#contest.findings()];
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#isChanged = false;
      // oxlint-disable-next-line no-await-in-loop -- one pass after the other
      const isDone = await this.#tryPass({ signal });
      // oxlint-disable-next-line no-await-in-loop -- as above
      if (isDone) await this.#nap.take(everyMs, { isDue: () => this.#isChanged, signal });
      // oxlint-disable-next-line no-await-in-loop -- as above
      await rest(gatherMs, signal);
    }
  }

  async #tryPass(call: ReadCall): Promise<boolean> {
    try {
      const isDone = await this.#pass(call);
      if (isDone) this.#problem = undefined;
      return isDone;
    } catch (error) {
      if (call.signal.aborted) return true;
      const { message } = providerError(error);
      this.#log({ err: message }, "what stands in a cluster for jobs could not be kept");
      this.#problem = {
        severity: "warning",
        message: `What stands in the cluster for jobs cannot be put right: ${message}`,
        advice: "It is tried again every minute. Jobs that run go on.",
      };
      return true;
    }
  }

  /** False if something is left, or nothing can be told yet. */
  async #pass(call: ReadCall): Promise<boolean> {
    const { base, jobs, queues, view } = this.#hands;
    // Of a queue that is not installed nothing stands; it is told elsewhere.
    if (view.missing !== undefined) return true;
    if (!this.#keeps() || !queues.isCurrent || !base.standing.isCurrent) return false;
    await Promise.all([base.view.whole(call.signal), view.whole(call.signal)]);
    if (base.view.lostSince !== undefined || view.lostSince !== undefined) return false;
    this.#contest.forgetOld();
    const at = await this.#hands.site();
    const { wanted, remove } = queuePlan({
      jobs,
      at,
      namespaces: base.standing.namespaces(),
      memberNamespaces: new Set([...view.members.values()].map(({ namespace }) => namespace)),
      standing: queues.standing(),
      queued: queues.tenants(),
      shareOf: (tenantId) => this.#hands.shareOf(at, tenantId),
    });
    // Only what we wrote in the same words before is somebody's contest; else it is news.
    const lacking = queues
      .lacking(wanted)
      .filter((object) => !queues.wasApplied(object) || this.#contest.mayPut(object));
    const due = remove.filter((object) => this.#contest.mayPut(object));
    for (const object of lacking.slice(0, writesPerPassMax)) {
      const { namespace = "", name } = object.metadata;
      if (queues.wasApplied(object)) this.#contest.put(object);
      // oxlint-disable-next-line no-await-in-loop -- in order: doors name queues, queues name flavors
      if (namespace !== "" && !(await this.#stands(call, namespace))) continue;
      // oxlint-disable-next-line no-await-in-loop -- as above
      await queues.apply(call, object);
      const fields = { how: "applied", kind: object.kind, namespace, name };
      this.#log(fields, "what stands in a cluster for jobs was put right");
    }
    for (const object of due.slice(0, writesPerPassMax)) {
      this.#contest.put(object);
      // oxlint-disable-next-line no-await-in-loop -- a few
      await queues.remove(call, object);
      const fields = { how: "removed", kind: object.kind, name: object.metadata.name };
      this.#log(fields, "queues of a tenant who is gone were removed");
    }
    return lacking.length <= writesPerPassMax && due.length <= writesPerPassMax;
  }

  /** Past the watch: nothing is put into what goes. */
  async #stands({ signal }: ReadCall, name: string): Promise<boolean> {
    const there = await this.#hands.base.client.get({ signal }, kinds.namespace, { name });
    return there !== undefined && there.metadata.deletionTimestamp === undefined;
  }
}
