/**
 * Keeps what stands in projects' namespaces, and once for the site, as it should be: an edit by hand, or
 * a wall that somebody took down, is put right as soon as a watch tells of it, and everything is compared
 * anew every minute, without asking anybody, so that it also follows what the cluster has become.
 *
 * What must stay true: nothing is touched while it is not certain whose it is, or what there is; nobody is
 * put right faster than `contest.ts` allows; what fails is said and tried again.
 */
import { setImmediate } from "node:timers/promises";

import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { namespaceName } from "#providers/kubevirt/compile/names.ts";
import { providerError } from "#providers/kubevirt/driver/errors.ts";
import type { Hands } from "#providers/kubevirt/driver/hands.ts";
import { projectAsk, tenancyFacts } from "#providers/kubevirt/driver/project-ask.ts";
import type { Site } from "#providers/kubevirt/driver/site.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { cloneBindings } from "#providers/kubevirt/tenants/access.ts";
import type { Furnishing } from "#providers/kubevirt/tenants/furniture.ts";
import { namespaceProblem } from "#providers/kubevirt/tenants/namespace.ts";
import type { SiteFinding } from "#providers/provider.ts";

import { Contest } from "./contest.ts";
import { Nap } from "./nap.ts";
import { isOpening, mending, upkeepOf, type Upkeep as Upkept } from "./plan.ts";
import { rest } from "./rest.ts";
import { policyFinding, roleFinding, siteMending, type SiteObject } from "./site-objects.ts";
import { kindOf } from "./standing.ts";

export interface Mended {
  readonly how: "applied" | "removed";
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

export interface UpkeepOptions {
  readonly hands: Hands;
  readonly onMended: (mended: Mended) => void;
  readonly onFailed: (what: string, error: unknown) => void;
  readonly everyMs?: number;
}

const everyMsDefault = 60_000;
/** Changes come in bursts, and quotas tell of each pod. */
const gatherMs = 1_000;
/** In one pass; the rest waits for the next. */
const writesPerPassMax = 500;
const findingsMax = 20;

export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #hands: Hands;
  readonly #client: KubeClient;
  readonly #contest: Contest;
  /** Projects of which something changed. */
  readonly #changed = new Set<string>();
  #isSiteChanged = true;
  /** What was not known before is known of all projects now. */
  #isAllChanged = false;
  readonly #nap = new Nap();
  #writesLeft = 0;
  #siteFindings: readonly SiteFinding[] = [];
  readonly #problems = new Map<string, SiteFinding>();

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#hands = options.hands;
    this.#client = options.hands.client;
    this.#contest = new Contest(options.hands.now);
    options.hands.standing.listen((projectId) => {
      if (projectId === undefined) this.#isSiteChanged = true;
      else this.#changed.add(projectId);
      this.#nap.wake();
    });
    options.hands.told.listen((projectId) => {
      if (projectId === undefined) {
        this.#isAllChanged = true;
      } else {
        const namespace = namespaceName(projectId);
        const rules = `NetworkPolicy ${namespace}/open-`;
        this.#contest.forgetAll(
          (name) => name === `Namespace ${namespace}` || name.startsWith(rules),
        );
        this.#changed.add(projectId);
      }
      this.#nap.wake();
    });
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { everyMs = everyMsDefault } = this.#options;
    let wholeAt = -Infinity;
    while (!signal.aborted) {
      const isWhole = this.#isAllChanged || performance.now() - wholeAt >= everyMs;
      // oxlint-disable-next-line no-await-in-loop -- one pass after the other
      const isDone = await this.#tryPass(isWhole, signal);
      if (isDone && isWhole) wholeAt = performance.now();
      // oxlint-disable-next-line no-await-in-loop -- as above
      if (isDone) await this.#nap.take(everyMs, { isDue: () => this.#isDue(), signal });
      // oxlint-disable-next-line no-await-in-loop -- as above
      await rest(Math.min(everyMs, gatherMs), signal);
    }
  }

  findings(): readonly SiteFinding[] {
    const { standing } = this.#hands;
    const lost = standing.lost;
    const blind: SiteFinding[] =
      lost === undefined
        ? []
        : [
            {
              severity: "warning",
              message: `What stands in projects' namespaces cannot be looked at (${lost.kind}): ${providerError(lost.error).message}`,
              advice:
                "It is tried again by itself. If it is forbidden, give Millrace's account the chart's rights.",
            },
          ];
    const problems = [...this.#problems.values()].slice(0, findingsMax);
    return [...blind, ...this.#siteFindings, ...problems, ...this.#contest.findings()];
  }

  async #tryPass(isWhole: boolean, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#pass(isWhole, signal);
    } catch (error) {
      if (!signal.aborted) this.#options.onFailed("pass", error);
      return true;
    }
  }

  /** False if something is left, or nothing can be told yet. */
  async #pass(isWhole: boolean, signal: AbortSignal): Promise<boolean> {
    const { view, standing, claim } = this.#hands;
    if (claim !== undefined && !claim.isHeld) return false;
    await view.whole(signal);
    if (view.lostSince !== undefined || !standing.isCurrent) return false;
    const site = await this.#hands.site();
    this.#writesLeft = writesPerPassMax;
    const { projects, site: siteObjects } = standing.sorted();
    if (isWhole) this.#contest.forgetOld();
    if (isWhole || this.#isSiteChanged) await this.#keepSite(site, siteObjects, signal);
    const machines = Map.groupBy(view.machines.values(), ({ owner }) => owner?.projectId ?? "");
    machines.delete("");
    if (isWhole) {
      this.#isAllChanged = false;
      for (const id of [...projects.keys(), ...machines.keys()]) this.#changed.add(id);
      for (const id of this.#problems.keys()) if (!this.#changed.has(id)) this.#problems.delete(id);
    }
    // What is written meanwhile is noted as changed too, and looked at in the next pass.
    const due = [...this.#changed];
    for (const projectId of due) {
      if (signal.aborted || this.#writesLeft <= 0) break;
      // Thousands of them are compared in a few seconds, in which others have their turn.
      // oxlint-disable-next-line no-await-in-loop -- as said
      await setImmediate();
      this.#changed.delete(projectId);
      const of = {
        projectId,
        standing: projects.get(projectId) ?? [],
        machines: (machines.get(projectId) ?? []).map(({ owner, network }) => ({
          tenantId: owner?.tenantId ?? "",
          network,
        })),
      };
      // oxlint-disable-next-line no-await-in-loop -- a few have changed; each writes at once
      await this.#tryProject(site, of, signal);
    }
    return this.#writesLeft > 0;
  }

  async #tryProject(site: Site, of: Project, signal: AbortSignal): Promise<void> {
    const { projectId } = of;
    try {
      const problem = await this.#project(site, of, signal);
      if (problem === undefined) this.#problems.delete(projectId);
      else this.#problems.set(projectId, problem);
    } catch (error) {
      if (signal.aborted) return;
      const namespace = namespaceName(projectId);
      this.#options.onFailed(namespace, error);
      this.#problems.set(projectId, {
        severity: "warning",
        message: `What somebody changed in namespace ${namespace} cannot be put right: ${providerError(error).message}`,
        advice: "It is tried again every minute. Machines that are there go on.",
      });
    }
  }

  async #project(site: Site, of: Project, signal: AbortSignal): Promise<SiteFinding | undefined> {
    const { furnished, standing } = this.#hands;
    const { projectId } = of;
    const upkeep = this.#decide(of);
    switch (upkeep.to) {
      case "wait":
        return undefined;
      case "leave":
        return foundOf(upkeep.because.message);
      case "look-closer":
        return this.#lookCloser(site, of, signal);
      case "keep": {
        const { apply, remove } = this.#mending(site, { ...upkeep, of });
        if (apply.length === 0 && remove.length === 0) return undefined;
        await furnished.inTurn(namespaceName(projectId), () => {
          // Whoever was filling it may have gone on since this pass began, also by a network.
          const fresh = { ...of, standing: standing.sorted().projects.get(projectId) ?? [] };
          const now = this.#decide(fresh);
          // One that went meanwhile is not made anew.
          return now.to === "keep"
            ? this.#write(this.#mending(site, { ...now, of: fresh }), signal)
            : Promise.resolve();
        });
        return undefined;
      }
    }
  }

  #decide(of: Project): Upkept {
    const { furnished, settings, now } = this.#hands;
    return upkeepOf({
      ...of,
      furnished: furnished.networks(namespaceName(of.projectId)),
      controlPlane: settings.controlPlane,
      now: now(),
    });
  }

  #mending(
    site: Site,
    {
      tenantId,
      networks,
      of: { projectId, standing },
    }: Extract<Upkept, { to: "keep" }> & { readonly of: Project },
  ): ReturnType<typeof mending> {
    const owner = { tenantId, projectId };
    const { labels } = standing.find(({ kind }) => kind === "Namespace")?.metadata ?? {};
    const plan = mending(projectAsk(this.#hands, { owner, site, networks, labels }), standing);
    if (this.#hands.told.areKnown) return plan;
    // Nobody has told yet what customers open: what stands open stays.
    return { ...plan, remove: plan.remove.filter((object) => !isOpening(object)) };
  }

  /** Its namespace is gone, or somebody took our labels off it. */
  async #lookCloser(
    site: Site,
    of: Project,
    signal: AbortSignal,
  ): Promise<SiteFinding | undefined> {
    const { furnished, settings } = this.#hands;
    const { projectId, standing, machines } = of;
    const name = namespaceName(projectId);
    const there = await this.#client.get({ signal }, kinds.namespace, { name });
    if (there !== undefined) {
      const { labels = {} } = there.metadata;
      const tenantId = machines[0]?.tenantId ?? "";
      const owner = { projectId, tenantId, site: { controlPlaneId: settings.controlPlane } };
      const problem = namespaceProblem({ labels, deleting: false }, owner);
      return problem && foundOf(problem.message);
    }
    furnished.forget(name);
    // What lets it clone images stands elsewhere, and did not go with it.
    const owner = { tenantId: "", projectId };
    const ask = projectAsk(this.#hands, { owner, site, networks: [], labels: undefined });
    const names = new Set(cloneBindings(ask).map(({ metadata }) => metadata.name));
    const remove = standing.filter(
      ({ kind, metadata }) => kind === "RoleBinding" && names.has(metadata.name),
    );
    await this.#write({ apply: [], remove }, signal);
    return undefined;
  }

  async #keepSite(site: Site, seen: readonly KubeObject[], signal: AbortSignal): Promise<void> {
    const { standing } = this.#hands;
    this.#isSiteChanged = false;
    const can = { roles: true, policies: standing.arePoliciesCurrent };
    const plan = siteMending(tenancyFacts(this.#hands, site), seen, can);
    const findings: SiteFinding[] = [];
    const lost = standing.policiesLost;
    if (lost !== undefined) findings.push(policyFinding(lost.error));
    for (const object of plan.apply) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- a handful
        await this.#write({ apply: [object], remove: [] }, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#options.onFailed(object.metadata.name, error);
        findings.push(object.kind === "Role" ? roleFinding(object, error) : policyFinding(error));
      }
    }
    await this.#write({ apply: [], remove: plan.remove }, signal);
    const said = new Map(findings.map((finding) => [finding.message, finding]));
    this.#siteFindings = [...said.values()].slice(0, findingsMax);
  }

  async #write(
    plan: {
      readonly apply: readonly (Furnishing | SiteObject)[];
      readonly remove: readonly KubeObject[];
    },
    signal: AbortSignal,
  ): Promise<void> {
    const apply = plan.apply.filter((object) => this.#contest.mayPut(object));
    const remove = plan.remove.filter((object) => this.#contest.mayPut(object));
    this.#writesLeft -= apply.length + remove.length;
    // The namespace comes first: without it there is nothing to put anything into.
    for (const object of apply) {
      this.#contest.put(object);
      // oxlint-disable-next-line no-await-in-loop -- a handful, in order
      const written = await this.#client.apply(
        { signal, force: "take-over" },
        kindOf(object),
        object,
      );
      this.#hands.standing.put(written.object);
      this.#options.onMended(mendedOf("applied", object));
    }
    for (const object of remove) {
      this.#contest.put(object);
      const { name, namespace, uid } = object.metadata;
      const at = namespace === undefined ? { name } : { namespace, name };
      // oxlint-disable-next-line no-await-in-loop -- a handful
      await this.#client.delete({ signal, uid }, kindOf(object), at);
      this.#options.onMended(mendedOf("removed", object));
    }
  }

  #isDue(): boolean {
    return this.#changed.size > 0 || this.#isSiteChanged || this.#isAllChanged;
  }
}

interface Project {
  readonly projectId: string;
  readonly standing: readonly KubeObject[];
  readonly machines: readonly { readonly tenantId: string; readonly network: string }[];
}

function foundOf(message: string): SiteFinding {
  return {
    severity: "problem",
    message,
    advice: "Until then nothing is made or changed in it; what runs there goes on.",
  };
}

function mendedOf(
  how: Mended["how"],
  { kind, metadata: { name, namespace } }: KubeObject | Furnishing | SiteObject,
): Mended {
  return { how, kind, namespace, name };
}
