/**
 * Looking after running machines. For each one this process holds a connection to its event
 * monitor. QEMU serves one of them at a time, so the process whose connection was greeted is the
 * machine's keeper and talks to its guest; those of other processes wait in line and take over at
 * the moment the keeper dies. All of them break when QEMU dies, which is how a death is seen at
 * once by everybody.
 *
 * A change that another process made shows as a new `state.json` in the machine's directory.
 */
import { watch, type FSWatcher } from "node:fs";
import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { instancePath, readState, runName } from "./instance.ts";
import { isAlive } from "./process.ts";
import { connectQmp, type QmpEvent } from "./qmp.ts";
import type { Launch } from "./records.ts";
import { settle, updateState } from "./settle.ts";
import type { Site } from "./site.ts";
import { waitFor } from "./wait.ts";

/** Serves the guest of one start of one machine until the signal aborts. */
export type ServeGuest = (machineId: string, launch: Launch, signal: AbortSignal) => Promise<void>;

const heartbeatMs = 5_000;
const retryMs = 100;
const dyingMs = 5_000;

export class Keeper {
  readonly #site: Site;
  readonly #serve: ServeGuest;
  readonly #closed = new AbortController();
  readonly #kept = new Map<string, { again: boolean }>();
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #loops = new Set<Promise<void>>();

  constructor(site: Site, serve: ServeGuest) {
    this.#site = site;
    this.#serve = serve;
    this.#run("heartbeat", this.#heartbeat());
  }

  /** Follows the machine's directory and, while QEMU runs, QEMU. May be called at any time. */
  keep(machineId: string): void {
    if (this.#closed.signal.aborted) return;
    this.#follow(machineId);
    const known = this.#kept.get(machineId);
    if (known !== undefined) {
      known.again = true;
      return;
    }
    const entry = { again: false };
    this.#kept.set(machineId, entry);
    this.#run(machineId, this.#watchMachine(machineId, entry));
  }

  async close(): Promise<void> {
    this.#closed.abort();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    await Promise.allSettled(this.#loops);
  }

  async #watchMachine(machineId: string, entry: { again: boolean }): Promise<void> {
    try {
      do {
        entry.again = false;
        while (await this.#watchLaunch(machineId)) {
          // The next start of the same machine.
        }
      } while (entry.again && !this.#closed.signal.aborted);
    } finally {
      this.#kept.delete(machineId);
    }
  }

  /** Follows the current start to its end; false if there is none to follow. */
  async #watchLaunch(machineId: string): Promise<boolean> {
    const path = instancePath(this.#site, machineId);
    const state = await readState(path);
    const launch = state?.launch;
    if (!launch?.process || state?.power === "stopped" || this.#closed.signal.aborted) return false;
    const disconnectedAt = await this.#stayConnected(machineId, path, launch);
    if (this.#closed.signal.aborted) return false;
    const { process } = launch;
    const gone = await waitFor(() => (isAlive(process) ? undefined : true), {
      timeoutMs: disconnectedAt === undefined ? 0 : dyingMs,
      everyMs: 5,
    });
    if (gone === undefined) {
      await delay(retryMs);
      return true;
    }
    await this.#site.locks.hold(machineId, async () => {
      const latest = await readState(path);
      if (latest?.launch?.number === launch.number) {
        await settle(this.#site, path, latest, disconnectedAt);
      }
    });
    this.#site.changed(machineId);
    return true;
  }

  /** The time at which the connection broke; undefined if there was none. */
  async #stayConnected(
    machineId: string,
    path: string,
    launch: Launch,
  ): Promise<number | undefined> {
    const guest = new GuestLoop((signal) => this.#serve(machineId, launch, signal), this.#site);
    const onEvent = (event: QmpEvent): void => {
      if (event.name !== "RESET") return;
      this.#run(machineId, this.#rebooted(machineId, launch, guest));
    };
    const stop = new AbortController();
    try {
      const socketName = `${runName(launch.number)}/events.sock`;
      const qmp = await connectQmp({
        directory: path,
        socketName,
        onEvent,
        signal: this.#closed.signal,
      });
      this.#closed.signal.addEventListener("abort", () => qmp.close(), { signal: stop.signal });
      if (this.#closed.signal.aborted) qmp.close();
      guest.restart();
      await qmp.closed;
      return this.#site.now();
    } catch {
      return undefined;
    } finally {
      stop.abort();
      await guest.stop();
    }
  }

  /** The guest boots again: it is not ready until its agent has answered again. */
  async #rebooted(machineId: string, launch: Launch, guest: GuestLoop): Promise<void> {
    await updateState(this.#site, machineId, (state) =>
      state.launch?.number === launch.number ? { ...state, readyAt: null } : state,
    );
    guest.restart();
    this.#site.changed(machineId);
  }

  #follow(machineId: string): void {
    if (this.#watchers.has(machineId)) return;
    const forget = (): void => {
      this.#watchers.get(machineId)?.close();
      this.#watchers.delete(machineId);
    };
    try {
      const path = instancePath(this.#site, machineId);
      const watcher = watch(path, { persistent: false }, (kind, name) => {
        // The directory itself was renamed: the machine was deleted.
        if (kind === "rename" && name === machineId) forget();
        else if (name !== "state.json") return;
        this.#site.changed(machineId);
        if (name === "state.json") this.keep(machineId);
      });
      watcher.on("error", forget);
      this.#watchers.set(machineId, watcher);
    } catch {
      // Gone already.
    }
  }

  async #heartbeat(): Promise<void> {
    const path = join(this.#site.root, "heartbeat");
    await writeFile(path, "");
    while (!this.#closed.signal.aborted) {
      const now = this.#site.now() / 1000;
      await utimes(path, now, now);
      await delay(heartbeatMs, undefined, { signal: this.#closed.signal, ref: false }).catch(
        () => {},
      );
    }
  }

  #run(name: string, work: Promise<void>): void {
    const loop = work
      .catch((error: unknown) => {
        if (!this.#closed.signal.aborted)
          this.#site.log.warn({ err: error, name }, "keeper loop ended");
      })
      .finally(() => this.#loops.delete(loop));
    this.#loops.add(loop);
  }
}

/** The conversation with one guest, begun anew whenever the guest reboots. */
class GuestLoop {
  readonly #serve: (signal: AbortSignal) => Promise<void>;
  readonly #site: Site;
  #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(serve: (signal: AbortSignal) => Promise<void>, site: Site) {
    this.#serve = serve;
    this.#site = site;
  }

  restart(): void {
    if (this.#stopped) return;
    this.#abort.abort();
    const abort = new AbortController();
    this.#abort = abort;
    const previous = this.#running;
    this.#running = previous
      .then(() => this.#serve(abort.signal))
      .catch((error: unknown) => {
        if (!abort.signal.aborted) this.#site.log.warn({ err: error }, "guest conversation ended");
      });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#abort.abort();
    await this.#running;
  }
}
