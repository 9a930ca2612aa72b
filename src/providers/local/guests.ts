/**
 * The guests of running machines. The keeper of a machine holds one session with its agent: it
 * makes the guest the instance that was asked for, says that it is ready, runs its workload, and
 * lends the session to whatever else needs the guest. Another process that needs it waits for the
 * lock `agent-<id>`, which the keeper then lets go for a moment.
 *
 * What must stay true: a guest is never called ready before its agent answered for this start, and
 * a clone never before it was made another than its template.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import type { MachineSpec } from "#providers/provider.ts";

import { trimSerial } from "./console.ts";
import { GuestError, openSession, type GuestSession, type Personality } from "./guest-session.ts";
import { instancePath, readSpec, readState, runName } from "./instance.ts";
import { followWorkload, startWorkload } from "./job.ts";
import type { ServeGuest } from "./keeper.ts";
import type { Release } from "./lock.ts";
import { macsOf, takeAddress } from "./network.ts";
import type { Guest } from "./power.ts";
import type { Launch } from "./records.ts";
import { updateState } from "./settle.ts";
import type { Site } from "./site.ts";

export interface Guests extends Guest {
  readonly serve: ServeGuest;
  /** How many guests of this process boot at the moment. */
  readonly booting: () => number;
}

/** The workload tells when it moves; this is for a word that was lost. */
const workloadPollMs = 500;
const idlePollMs = 5_000;
const retryMs = 50;
const borrowMs = 10_000;

export function createGuests(site: Site): Guests {
  const sessions = new Map<string, GuestSession>();
  const booting = new Set<string>();

  const serve: ServeGuest = async (machineId, launch, signal) => {
    booting.add(machineId);
    try {
      while (!signal.aborted) {
        const release = await site.locks.acquire(agentLock(machineId), signal);
        try {
          await converse({ site, machineId, launch, signal, release, sessions, booting });
        } finally {
          release();
        }
        if (!signal.aborted) await delay(retryMs, undefined, { signal }).catch(() => {});
      }
    } finally {
      booting.delete(machineId);
    }
  };

  const lend = async (
    machineId: string,
    launch: Launch,
    use: (session: GuestSession) => Promise<void>,
  ): Promise<void> => {
    const held = sessions.get(machineId);
    if (held !== undefined) return use(held);
    const signal = AbortSignal.timeout(borrowMs);
    const release = await site.locks.acquire(agentLock(machineId), signal);
    try {
      const session = await sessionWith(site, machineId, launch, signal);
      try {
        await use(session);
      } finally {
        session.close();
      }
    } finally {
      release();
    }
  };

  return {
    serve,
    booting: () => booting.size,
    shutDown: (id, launch) => lend(id, launch, (session) => session.shutDown()),
    sync: (id, launch) => lend(id, launch, (session) => session.sync()),
    refresh: (id, launch) => lend(id, launch, (session) => session.refresh(fresh(site))),
    takeUp: (id, launch) => lend(id, launch, (session) => session.takeUp()),
  };
}

/** The time now and randomness that nobody else has. */
export function fresh(site: Site): { readonly epochMs: number; readonly entropy: string } {
  return { epochMs: Math.round(site.now()), entropy: randomBytes(64).toString("hex") };
}

interface Conversation {
  readonly site: Site;
  readonly machineId: string;
  readonly launch: Launch;
  readonly signal: AbortSignal;
  readonly release: Release;
  readonly sessions: Map<string, GuestSession>;
  readonly booting: Set<string>;
}

/** Until the connection breaks, the signal aborts, or another process wants the guest. */
async function converse(conversation: Conversation): Promise<void> {
  const { site, machineId, launch, signal, sessions } = conversation;
  let moved = Promise.withResolvers<void>();
  const onWorkload = (): void => moved.resolve();
  const session = await sessionWith(site, machineId, launch, signal, onWorkload);
  try {
    await session.hello();
    const spec = await makeReady(conversation, session);
    if (spec === undefined) return;
    sessions.set(machineId, session);
    const { workload } = spec;
    if (workload !== undefined) await startWorkload(site, spec, workload, session);
    let following = workload !== undefined;
    const ended = Promise.race([session.closed, conversation.release.wanted]).then(() => true);
    for (;;) {
      if (following) following = await followWorkload(site, machineId, session);
      await trimSerial(instancePath(site, machineId));
      const pause = delay(following ? workloadPollMs : idlePollMs, false, { ref: false });
      if (await Promise.race([ended, moved.promise.then(() => false), pause])) return;
      moved = Promise.withResolvers<void>();
    }
  } catch (error) {
    const broken = error instanceof GuestError && error.code === "gone";
    if (!signal.aborted && !broken) throw error;
  } finally {
    if (sessions.get(machineId) === session) sessions.delete(machineId);
    session.close();
  }
}

/** The spec once the guest is the instance that it describes; undefined if the machine is gone. */
async function makeReady(
  { site, machineId, launch, booting }: Conversation,
  session: GuestSession,
): Promise<MachineSpec | undefined> {
  const path = instancePath(site, machineId);
  const spec = await readSpec(path);
  const state = await readState(path);
  if (spec === undefined || state?.launch?.number !== launch.number) return undefined;
  if (state.readyAt === null) {
    await session.personalize(await personalityOf(site, spec));
    const now = site.now();
    await updateState(site, machineId, (latest) =>
      latest.launch?.number === launch.number && latest.readyAt === null
        ? { ...latest, readyAt: Math.max(now, latest.powerSince) }
        : latest,
    );
    site.changed(machineId);
  }
  booting.delete(machineId);
  return spec;
}

async function personalityOf(site: Site, spec: MachineSpec): Promise<Personality> {
  const { address, prefixLength } = await takeAddress(site, spec.network, spec.id);
  const { access, tenant } = macsOf(spec.id);
  return {
    instanceId: spec.id,
    hostname: spec.name,
    loginUser: spec.loginUser,
    machineId: spec.id.replaceAll("-", ""),
    authorizedKeys: spec.sshKeys,
    network: [
      { mac: access, address: "10.0.2.15/24" },
      { mac: tenant, address: `${address}/${prefixLength}` },
    ],
    ...fresh(site),
  };
}

function sessionWith(
  site: Site,
  machineId: string,
  launch: Launch,
  signal: AbortSignal,
  onWorkload?: () => void,
): Promise<GuestSession> {
  return openSession({
    directory: instancePath(site, machineId),
    socketName: `${runName(launch.number)}/agent.sock`,
    signal,
    ...(onWorkload === undefined ? {} : { onWorkload }),
  });
}

function agentLock(machineId: string): string {
  return `agent-${machineId}`;
}
