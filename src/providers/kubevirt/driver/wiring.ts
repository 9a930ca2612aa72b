/**
 * How the parts of the driver hang together: one client, what is kept of the cluster, the hands that write,
 * and the loops that go on by themselves until the driver closes. Only those loops write unasked, and a
 * process that only looks and relays consoles runs none of them.
 */
import { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { Cluster } from "#providers/kubevirt/client/cluster.ts";
import { clientLimits, type ClientLimits } from "#providers/kubevirt/client/options.ts";
import type { Exchange } from "#providers/kubevirt/exchange/exchange.ts";

import { ClusterView } from "./cluster-view.ts";
import { CrossChecker, crossCheckEveryMs } from "./cross-checker.ts";
import { Hands } from "./hands.ts";
import { HostedJobs } from "./jobs/hosted.ts";
import { onceEach } from "./once-each.ts";
import { Reverts } from "./reverts.ts";
import { RunWriter } from "./run-writer.ts";
import { RunsSeen, runsSeenEveryMs } from "./runs-seen.ts";
import type { ClusterSettings } from "./settings.ts";
import { readSite, type Site } from "./site.ts";
import { Strangers } from "./strangers.ts";
import { Claim } from "./upkeep/claim.ts";
import { Standing } from "./upkeep/standing.ts";
import { Upkeep, type Mended } from "./upkeep/upkeep.ts";

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
  /** How often it is written down up to when all runs were seen. */
  readonly runsSeenEveryMs?: number;
  readonly log?: (fields: Readonly<Record<string, unknown>>, message: string) => void;
}

/** What the cluster is set up as changes seldom. */
const siteAgeMaxMs = 60_000;

const readingLimits: ClientLimits = {
  ...clientLimits,
  calls: { ...clientLimits.calls, onlyReads: true },
};

interface Parts {
  readonly client: KubeClient;
  readonly view: ClusterView;
  readonly hands: Hands;
  readonly upkeep: Upkeep;
  readonly crossChecker: CrossChecker;
  readonly strangers: Strangers;
  readonly jobs: HostedJobs | undefined;
  /** What the cluster is set up as, at most a minute ago. */
  readonly site: () => Promise<Site>;
  /** Called once; ends when the driver closes. */
  readonly run: () => Promise<unknown>;
}

/** Nothing is asked of the cluster before `run`, or a look at the site. */
export function wire(options: KubevirtOptions, closed: AbortSignal): Parts {
  const { settings, cluster, now, writes = true } = options;
  const say = sayer(options);
  const client = new KubeClient(cluster, writes ? clientLimits : readingLimits, say.warned);
  const view = viewOf(options, client, say);
  const { controlPlane } = settings;
  const { installation } = options;
  const claim =
    writes && installation !== undefined
      ? new Claim({ client, controlPlane, installation })
      : undefined;
  const mayWrite = (): boolean => claim === undefined || claim.isHeld;
  const standing = new Standing({ client, controlPlane, now, onLost: say.lost });
  const strangers = new Strangers({ client, view, standing, controlPlane, now, onLost: say.lost });
  const site = keptSite(client, { settings, view, now, closed });
  const hands = new Hands({ client, view, settings, now, site, standing, claim });
  const upkeep = new Upkeep({
    hands,
    onMended: (mended) => {
      say.log({ ...mended }, "what somebody changed in a cluster was put right");
      options.onMended?.(mended);
    },
    onFailed: (what, error) =>
      say.failed(error, "what stands in a cluster could not be kept", { what }),
    ...(options.upkeepEveryMs === undefined ? {} : { everyMs: options.upkeepEveryMs }),
  });
  const crossChecker = new CrossChecker(hands, options.crossCheckEveryMs ?? crossCheckEveryMs);
  const jobs = jobsOf(options, { client, view, hands, lost: say.lost, keeps: mayWrite });
  const recordRuns = async (): Promise<void> => {
    const writer = new RunWriter(client, view, { mayWrite });
    if (claim === undefined) return writer.run(closed);
    const everyMs = options.runsSeenEveryMs ?? runsSeenEveryMs;
    const seen = new RunsSeen({ client, view, claim, controlPlane, everyMs });
    // How a run ended that nobody saw rests on what was seen before.
    await seen.read(closed);
    await Promise.all([writer.run(closed), seen.run(closed)]);
  };
  const writing = (): Promise<unknown>[] => [
    recordRuns(),
    standing.follow(closed),
    strangers.follow(closed),
    upkeep.run(closed),
    crossChecker.run(closed),
    new Reverts({
      hands,
      mayWrite,
      onFailed: (error) =>
        say.failed(error, "a revert could not be looked after; it is tried again"),
    }).run(closed),
    ...(claim === undefined ? [] : [claim.keep(closed)]),
  ];
  const run = (): Promise<unknown> =>
    Promise.all([view.follow(closed), jobs?.run(closed), ...(writes ? writing() : [])]);
  return { client, view, hands, upkeep, crossChecker, strangers, jobs, site, run };
}

/** What the loops say of a cluster, each line with its site. */
interface Sayer {
  readonly log: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  readonly failed: (
    error: unknown,
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ) => void;
  readonly warned: (warning: string) => void;
  readonly lost: (what: string, error: unknown) => void;
}

function sayer({ settings: { site }, log: line = () => undefined }: KubevirtOptions): Sayer {
  const log: Sayer["log"] = (fields, message) => line({ site, ...fields }, message);
  const failed: Sayer["failed"] = (error, message, fields = {}) =>
    log({ ...fields, err: error instanceof Error ? error.message : String(error) }, message);
  return {
    log,
    failed,
    warned: onceEach((warning) => log({ warning }, "a cluster warns")),
    lost: (what, error) =>
      failed(error, "the watch of a cluster was lost; it is begun again", { what }),
  };
}

function viewOf(options: KubevirtOptions, client: KubeClient, say: Sayer): ClusterView {
  const { settings, now, writes = true } = options;
  return new ClusterView({
    client,
    settings,
    now,
    onLost: say.lost,
    onUnreadable: (name, error) =>
      say.failed(error, "somebody edited it so that it cannot be read", { name }),
    ...(writes
      ? {
          onRelabeled: (name: string) =>
            say.log({ name }, "labels that somebody took off were put back"),
        }
      : {}),
  });
}

/** Jobs run where the operator set them up, there is a place for what they write, and we may write. */
function jobsOf(
  options: KubevirtOptions,
  parts: {
    readonly client: KubeClient;
    readonly view: ClusterView;
    readonly hands: Hands;
    readonly lost: Sayer["lost"];
    readonly keeps: () => boolean;
  },
): HostedJobs | undefined {
  const { settings, exchange, now, writes = true, log = () => undefined } = options;
  const { client, view, hands, lost, keeps } = parts;
  const { jobs } = settings;
  if (jobs === undefined || exchange === undefined || !writes) return undefined;
  const changed = (machineId: string): void => view.tell(machineId);
  const base = hands;
  return new HostedJobs({ client, base, jobs, exchange, now, onLost: lost, changed, log, keeps });
}

function keptSite(
  client: KubeClient,
  options: {
    readonly settings: ClusterSettings;
    readonly view: ClusterView;
    readonly now: () => number;
    readonly closed: AbortSignal;
  },
): () => Promise<Site> {
  const { settings, view, now, closed } = options;
  let kept: { readonly at: number; readonly site: Promise<Site> } | undefined;
  return () => {
    if (kept !== undefined && now() - kept.at < siteAgeMaxMs) return kept.site;
    const nodes = [...view.nodes()];
    const seen = {
      cpuModels: new Set(nodes.flatMap(({ cpuModels }) => cpuModels)),
      vcpusMax: Math.max(1, ...nodes.map(({ host }) => host.cpus)),
    };
    // Of all who ask meanwhile, so none of them may end it.
    const site = readSite(client, settings, seen, closed);
    const next = { at: now(), site };
    kept = next;
    site.catch(() => {
      if (kept === next) kept = undefined;
    });
    return site;
  };
}
