/**
 * The warm pool: templates of the kinds of machine that are asked for, and a few clones, in all,
 * that stand ready for those asked for last. Everything here only makes starting quicker: a machine
 * whose kind has no clone ready is cloned on the spot, and without a template it boots.
 *
 * Any driver on the directory takes clones; one of them fills the pool. A clone is taken by
 * renaming its directory, which only one can do.
 */
import { randomUUID } from "node:crypto";
import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import type { CpuTopology, MachineSpec } from "#providers/provider.ts";

import { makeClone } from "./clone.ts";
import type { Driver, Image } from "./driver.ts";
import { readIfThere, syncDirectory, writeDurably } from "./files.ts";
import {
  discard,
  instancePath,
  makeInstanceDirectory,
  readState,
  runName,
  writeSpec,
} from "./instance.ts";
import { findLaunched } from "./launch.ts";
import { endProcess, monitorAt } from "./monitor.ts";
import type { State } from "./records.ts";
import { releaseSlot, renameSlot, takeSlot } from "./slots.ts";
import {
  buildTemplate,
  findTemplate,
  keyOf,
  kindOf,
  type Kind,
  type Template,
  type WarmUp,
} from "./template.ts";

export interface WarmPoolSettings {
  /** Clones that stand ready, in all; 0 keeps templates only. */
  readonly members: number;
  /** Sum of the memory sizes of all clones that stand ready. */
  readonly memoryBytesMax: number;
  /** Kinds to make ready before anybody asks; the last of them is the first to stand ready. */
  readonly prepare: readonly {
    readonly image: string;
    readonly cpu: CpuTopology;
    readonly memoryBytes: number;
  }[];
}

const kindsMax = 6;
/** A machine that has just come up is used first: the login to it is part of its start. */
const quietMs = 1_000;
const periodMs = 30_000;
/** How often an image that is being built is asked for. */
const imageMs = 1_000;
const failureMs = 600_000;

export class Pool {
  readonly #driver: Driver;
  readonly #settings: WarmPoolSettings;
  readonly #warmUp: WarmUp;
  /** True while machines of this process boot: filling waits for them. */
  readonly #isBusy: () => boolean;
  readonly #kinds = new Map<string, Kind>();
  readonly #failedAt = new Map<string, number>();
  readonly #closed = new AbortController();
  #wake = Promise.withResolvers<void>();
  #filling: Promise<void> = Promise.resolve();

  constructor(
    driver: Driver,
    options: {
      readonly settings: WarmPoolSettings;
      readonly warmUp: WarmUp;
      readonly isBusy: () => boolean;
    },
  ) {
    this.#driver = driver;
    this.#settings = options.settings;
    this.#warmUp = options.warmUp;
    this.#isBusy = options.isBusy;
  }

  /** Begins to fill the pool in the background, if no other driver does. */
  start(): void {
    this.#filling = this.#fillForEver().catch((error: unknown) => {
      if (!this.#closed.signal.aborted)
        this.#driver.site.log.error({ err: error }, "warm pool ended");
    });
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#wake.resolve();
    await this.#filling;
  }

  async takeMember(spec: MachineSpec, image: Image): Promise<State | undefined> {
    const wanted = await this.#wantedBy(spec, image);
    return wanted && this.#takeFrom(wanted.key, spec);
  }

  async cloneNow(spec: MachineSpec, image: Image): Promise<State | undefined> {
    const wanted = await this.#wantedBy(spec, image);
    if (wanted === undefined) return undefined;
    const { site } = this.#driver;
    const slot = await takeSlot(site, spec.id);
    try {
      return await makeClone(this.#driver, { path: instancePath(site, spec.id), slot, ...wanted });
    } catch (error) {
      site.log.warn({ err: error, machineId: spec.id }, "clone failed; the machine boots instead");
      await this.#wreck(instancePath(site, spec.id));
      await releaseSlot(site, slot.slot);
      return undefined;
    }
  }

  /** Removes clones that died or that are more than their kind is to have. */
  async #sweep(shares: ReadonlyMap<string, number>): Promise<void> {
    const left = new Map(shares);
    for (const id of await this.#memberIds()) {
      await this.#driver.site.locks.hold(id, async () => {
        const path = this.#pathOf(id);
        const key = await readIfThere(join(path, "key"));
        const state = await readState(path).catch(() => undefined);
        const process = state && (await findLaunched(path, state));
        const claimed = (await readIfThere(join(path, "spec.json"))) !== undefined;
        const wanted = key === undefined ? 0 : (left.get(key) ?? 0);
        const good = process !== undefined && state?.power === "paused" && !claimed;
        if (good && key !== undefined && wanted > 0) left.set(key, wanted - 1);
        else await this.#drop(path, state);
      });
    }
  }

  #remember(key: string, kind: Kind): void {
    const wasLast = [...this.#kinds.keys()].at(-1) === key;
    this.#kinds.delete(key);
    this.#kinds.set(key, kind);
    for (const oldest of this.#kinds.keys()) {
      if (this.#kinds.size <= kindsMax) break;
      this.#kinds.delete(oldest);
    }
    if (!wasLast) this.#wake.resolve();
  }

  /** The template that fits, if there is one; in any case the kind is remembered as asked for. */
  async #wantedBy(
    spec: MachineSpec,
    image: Image,
  ): Promise<{ key: string; kind: Kind; template: Template } | undefined> {
    // User data is read at a boot, and a clone never has one; nor has it another's disk.
    if (spec.userData !== undefined || spec.fromSnapshot !== undefined) return undefined;
    const kind = kindOf(image, spec);
    const key = await keyOf(this.#driver, kind);
    this.#remember(key, kind);
    const template = await findTemplate(this.#driver, kind);
    const fits = template !== undefined && spec.diskBytes >= template.diskBytes;
    return fits ? { key, kind, template } : undefined;
  }

  async #takeFrom(key: string, spec: MachineSpec): Promise<State | undefined> {
    const { site } = this.#driver;
    for (const id of await this.#memberIds()) {
      const path = this.#pathOf(id);
      if ((await readIfThere(join(path, "key"))) !== key) continue;
      const release = await site.locks.acquire(id);
      try {
        const state = await readState(path);
        if (state?.power !== "paused" || (await findLaunched(path, state)) === undefined) continue;
        await writeSpec(path, spec);
        await rename(path, instancePath(site, spec.id));
        await syncDirectory(join(site.root, "instances"));
        await renameSlot(site, state.slot, spec.id);
        this.#wake.resolve();
        return state;
      } finally {
        release();
      }
    }
    return undefined;
  }

  async #fillForEver(): Promise<void> {
    const { site } = this.#driver;
    const release = await site.locks.acquire("pool", this.#closed.signal);
    try {
      const waiting = new Set(this.#settings.prepare);
      while (!this.#closed.signal.aborted) {
        this.#wake = Promise.withResolvers<void>();
        await this.#prepare(waiting);
        await this.#fill();
        const pauseMs = waiting.size > 0 ? imageMs : periodMs;
        await Promise.race([this.#wake.promise, this.#pause(pauseMs)]);
      }
    } finally {
      await this.#sweep(new Map());
      release();
    }
  }

  /** Kinds whose image is not built yet wait for it. */
  async #prepare(waiting: Set<WarmPoolSettings["prepare"][number]>): Promise<void> {
    for (const wanted of waiting) {
      try {
        const kind = kindOf(await this.#driver.image(wanted.image), wanted);
        this.#remember(await keyOf(this.#driver, kind), kind);
        waiting.delete(wanted);
      } catch (error) {
        this.#driver.site.log.debug({ err: error, image: wanted.image }, "not ready to be warmed");
      }
    }
  }

  async #fill(): Promise<void> {
    await this.#quiet();
    // The kind asked for last comes first.
    const kinds = [...this.#kinds].toReversed().filter(([key]) => !this.#failedLately(key));
    const shares = sharesOf(
      kinds.map(([key]) => key),
      this.#settings.members,
    );
    await this.#sweep(shares);
    for (const [key, kind] of kinds) {
      try {
        await this.#fillKind(key, kind, shares.get(key) ?? 0);
      } catch (error) {
        if (this.#closed.signal.aborted) return;
        this.#failedAt.set(key, this.#driver.site.now());
        this.#driver.site.log.warn(
          { err: error, image: kind.image.name },
          "no warm start for this kind",
        );
      }
    }
  }

  #failedLately(key: string): boolean {
    return (this.#failedAt.get(key) ?? -Infinity) > this.#driver.site.now() - failureMs;
  }

  async #fillKind(key: string, kind: Kind, share: number): Promise<void> {
    await this.#quiet();
    const template = await buildTemplate(this.#driver, kind, this.#warmUp, this.#closed.signal);
    for (;;) {
      await this.#quiet();
      const members = await this.#members();
      const mine = members.filter((member) => member.key === key).length;
      const used = members.reduce((sum, member) => sum + member.memoryBytes, 0);
      const room = this.#settings.memoryBytesMax - used >= kind.board.memoryBytes;
      if (mine >= share || !room) return;
      await this.#addMember(key, kind, template);
    }
  }

  async #addMember(key: string, kind: Kind, template: Template): Promise<void> {
    const id = randomUUID();
    const path = this.#pathOf(id);
    await this.#driver.site.locks.hold(id, async () => {
      await makeInstanceDirectory(path);
      const slot = await takeSlot(this.#driver.site, id);
      try {
        const state = await makeClone(this.#driver, { path, kind, template, slot });
        await this.#rehearse(path, state, kind);
        await writeDurably(join(path, "key"), key);
      } catch (error) {
        await this.#drop(path, await readState(path).catch(() => undefined));
        await releaseSlot(this.#driver.site, slot.slot);
        throw error;
      }
    });
  }

  /** It runs for a moment without a tenant's network, and stands still again. */
  async #rehearse(path: string, state: State, { image }: Kind): Promise<void> {
    const runDirectory = runName(state.launches);
    await monitorAt(path, runDirectory, (qmp) => qmp.execute("cont"));
    await this.#warmUp({
      directory: path,
      runDirectory,
      sshPort: state.sshPort,
      image,
      logins: 1,
      signal: this.#closed.signal,
    });
    await monitorAt(path, runDirectory, (qmp) => qmp.execute("stop"));
  }

  async #drop(path: string, state: State | undefined): Promise<void> {
    await this.#wreck(path);
    if (state !== undefined) await releaseSlot(this.#driver.site, state.slot);
    await discard(this.#driver.site, path);
  }

  /** Ends what runs in the directory and forgets its record. */
  async #wreck(path: string): Promise<void> {
    const state = await readState(path).catch(() => undefined);
    const process = state && (await findLaunched(path, state));
    if (process !== undefined && state?.launch) {
      await endProcess(path, { ...state, launch: { ...state.launch, process } }, "kill");
    }
    await rm(join(path, "state.json"), { force: true });
  }

  async #members(): Promise<{ key: string | undefined; memoryBytes: number }[]> {
    const members: { key: string | undefined; memoryBytes: number }[] = [];
    for (const id of await this.#memberIds()) {
      const path = this.#pathOf(id);
      const state = await readState(path).catch(() => undefined);
      const key = await readIfThere(join(path, "key"));
      members.push({ key, memoryBytes: state?.hardware.memoryBytes ?? 0 });
    }
    return members;
  }

  /** Machines that boot for somebody come first. */
  async #quiet(): Promise<void> {
    await this.#pause(quietMs);
    while (this.#isBusy() && !this.#closed.signal.aborted) await this.#pause(quietMs);
    this.#closed.signal.throwIfAborted();
  }

  async #pause(ms: number): Promise<void> {
    const options = { signal: this.#closed.signal, ref: false };
    await delay(ms, undefined, options).catch(() => {});
  }

  #memberIds(): Promise<string[]> {
    return readdir(join(this.#driver.site.root, "pool"));
  }

  #pathOf(id: string): string {
    return join(this.#driver.site.root, "pool", id);
  }
}

/** One each, the kind asked for last first, and around again until all have a kind. */
export function sharesOf(keys: readonly string[], members: number): Map<string, number> {
  const each = Math.floor(members / keys.length);
  const over = members % keys.length;
  return new Map(keys.map((key, place) => [key, each + (place < over ? 1 : 0)]));
}
