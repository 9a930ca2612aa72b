/**
 * The guests of running machines. The keeper of a machine holds one session with its agent: it
 * makes the guest the instance that was asked for, says that it is ready, runs its workload, and
 * lends the session to whatever else needs the guest. Another process that needs it waits for the
 * lock `agent-<id>`, which the keeper then lets go for a moment.
 *
 * What must stay true: a guest is never called ready before its agent answered for this start, and
 * a clone never before it was made another than its template.
 */
import { setTimeout as delay } from "node:timers/promises";

import type { MachineSpec } from "#providers/provider.ts";

import { trimSerial } from "./console.ts";
import { markHeard } from "./workload.ts";
import { GuestClient } from "./guest/client.ts";
import type { GuestCall } from "./guest/channel.ts";
import type { GuestEvent, Identity } from "./guest/protocol.ts";
import { instancePath, readSpec, readState, runName } from "./instance.ts";
import { followWorkload, startWorkload } from "./job.ts";
import type { ServeGuest } from "./keeper.ts";
import type { Release } from "./lock.ts";
import { accessAddress, takeAddress, tenantMacOf } from "./network.ts";
import type { Guest } from "./power.ts";
import { vcpusOf, type Launch, type State } from "./records.ts";
import { updateState } from "./settle.ts";
import type { Site } from "./site.ts";
import { connectInside } from "./socket.ts";

export interface Guests extends Guest {
  readonly serve: ServeGuest;
  /** How many guests of this process boot at the moment. */
  readonly booting: () => number;
}

/** The workload tells when it moves; this is for a word that was lost. */
const workloadPollMs = 500;
const idlePollMs = 5_000;
/** That a guest answers is noted so often. */
const heardEveryMs = 5_000;
const retryMs = 50;
const refusedMs = 1_000;
const borrowMs = 10_000;
/** A guest that is so slow to say what it does is taken for one that does something. */
const activityMs = 3_000;

export function createGuests(site: Site): Guests {
  const sessions = new Map<string, GuestClient>();
  const booting = new Set<string>();

  const serve: ServeGuest = async (machineId, launch, signal) => {
    booting.add(machineId);
    try {
      while (!signal.aborted) {
        const release = await site.locks.acquire(agentLock(machineId), signal);
        try {
          await converse({ site, machineId, launch, signal, release, sessions, booting });
        } catch (error) {
          if (signal.aborted) return;
          site.log.warn({ err: error, machineId }, "the guest refuses; it is asked again");
          await delay(refusedMs);
        } finally {
          release();
        }
        await delay(retryMs);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      booting.delete(machineId);
    }
  };

  const lend = async <T>(
    machineId: string,
    launch: Launch,
    use: (client: GuestClient, call: GuestCall) => Promise<T>,
    withinMs = borrowMs,
  ): Promise<T> => {
    const signal = AbortSignal.timeout(withinMs);
    const held = sessions.get(machineId);
    if (held !== undefined) return use(held, { signal });
    const release = await site.locks.acquire(agentLock(machineId), signal);
    const client = clientOf(site, machineId, launch, {});
    try {
      return await use(client, { signal });
    } finally {
      client.close();
      release();
    }
  };

  return {
    serve,
    booting: () => booting.size,
    shutDown: (id, launch) => lend(id, launch, (client, call) => client.shutdown(call)),
    sync: (id, launch) => lend(id, launch, (client, call) => client.sync(call)),
    refresh: (id, launch) => lend(id, launch, (client, call) => client.refresh(call)),
    interrupt: async (id, launch, how) => {
      await lend(id, launch, (client, call) => client.workloadInterrupt(call, how));
    },
    activity: (id, launch) => lend(id, launch, (client, call) => client.activity(call), activityMs),
    takeUp: async (id, launch, { cpu, memoryBytes, diskBytes }) => {
      const expected = { cpus: vcpusOf(cpu), memoryBytes, diskBytes };
      await lend(id, launch, (client, call) => client.resizeOnline(call, expected));
    },
  };
}

interface Conversation {
  readonly site: Site;
  readonly machineId: string;
  readonly launch: Launch;
  readonly signal: AbortSignal;
  readonly release: Release;
  readonly sessions: Map<string, GuestClient>;
  readonly booting: Set<string>;
}

/** Until the signal aborts, or another process wants the guest. */
async function converse(conversation: Conversation): Promise<void> {
  const { site, machineId, launch, signal, release, sessions } = conversation;
  let moved = Promise.withResolvers<void>();
  const onEvent = (event: GuestEvent): void => {
    if (event.event === "workload") moved.resolve();
  };
  const client = clientOf(site, machineId, launch, { onEvent, listen: true });
  const ended = Promise.race([release.wanted, aborted(signal)]).then(() => true);
  try {
    const spec = await makeReady(conversation, client);
    if (spec === undefined) return;
    sessions.set(machineId, client);
    const { workload } = spec;
    if (workload !== undefined) await startWorkload(site, spec, workload, { client, signal });
    let following = workload !== undefined;
    let heardAt = Number.NEGATIVE_INFINITY;
    for (;;) {
      moved = Promise.withResolvers<void>();
      if (following) {
        following = await followWorkload(site, machineId, { client, signal });
        if (site.now() - heardAt > heardEveryMs) {
          heardAt = site.now();
          await markHeard(instancePath(site, machineId), heardAt);
        }
      }
      await trimSerial(instancePath(site, machineId));
      const pause = delay(following ? workloadPollMs : idlePollMs, false, { ref: false });
      if (await Promise.race([ended, moved.promise.then(() => false), pause])) return;
    }
  } finally {
    if (sessions.get(machineId) === client) sessions.delete(machineId);
    client.close();
  }
}

/** The spec once the guest is the instance that it describes; undefined if the machine is gone. */
async function makeReady(
  { site, machineId, launch, signal, booting }: Conversation,
  client: GuestClient,
): Promise<MachineSpec | undefined> {
  const path = instancePath(site, machineId);
  const spec = await readSpec(path);
  const state = await readState(path);
  if (spec === undefined || state?.launch?.number !== launch.number) return undefined;
  if (state.readyAt === null) {
    const { address, prefixLength } = await takeAddress(site, spec.network, spec.id);
    const { growProblem } = await client.personalize(
      { signal },
      identityOf(spec, state, `${address}/${prefixLength}`),
    );
    if (growProblem !== undefined) site.log.warn({ machineId, growProblem }, "disk not all used");
    const now = site.now();
    await updateState(site, machineId, (latest) =>
      latest.launch?.number === launch.number && latest.readyAt === null
        ? { ...latest, address, readyAt: Math.max(now, latest.powerSince) }
        : latest,
    );
    site.changed(machineId);
  }
  booting.delete(machineId);
  return spec;
}

/** `address`: with the length of its prefix. */
function identityOf(spec: MachineSpec, state: State, address: string): Identity {
  return {
    instanceId: spec.id,
    hostname: spec.name,
    loginUser: spec.loginUser,
    machineId: spec.id.replaceAll("-", ""),
    authorizedKeys: spec.sshKeys,
    network: [{ address: accessAddress }, { mac: tenantMacOf(spec.id), address }],
    diskBytes: state.hardware.diskBytes,
  };
}

function clientOf(
  site: Site,
  machineId: string,
  launch: Launch,
  hearing: { readonly onEvent?: (event: GuestEvent) => void; readonly listen?: true },
): GuestClient {
  const socketName = `${runName(launch.number)}/agent.sock`;
  const directory = instancePath(site, machineId);
  return new GuestClient({ connect: () => connectInside(directory, socketName), ...hearing });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function agentLock(machineId: string): string {
  return `agent-${machineId}`;
}
