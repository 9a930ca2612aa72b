/**
 * What this process saw of runs with its own eyes: how one ended whose object has gone since, and until when
 * one that vanished was certainly there. It is for the moments before an end is written down
 * (run-writer.ts). What must stay true: no instant here is later than the truth, because it is billed to.
 */
import { endPhases, phaseSince, type SeenInstance } from "#providers/kubevirt/observe/seen.ts";

export interface Witnessed {
  /** Until when it certainly went on; epoch milliseconds. */
  readonly aliveAt?: number;
  /** The run as it was when it was first seen to have ended. */
  readonly last?: SeenInstance;
  /** It was seen to go on when its object was to be deleted already. */
  readonly wasToldToGo?: boolean;
  /** Its going was watched, so no other run can have been there since. */
  readonly isLatest: boolean;
  /** When that was told, by the clock of whoever watched. */
  readonly goneAt?: number;
}

/** Of a run that nobody here saw. */
export const unwitnessed: Witnessed = { isLatest: false };

interface Sighting {
  readonly uid: string;
  goesOn: boolean;
  aliveAt?: number;
  last?: SeenInstance;
  wasToldToGo: boolean;
  /** When a watch told that it went. */
  goneAt?: number;
}

export interface Look {
  /** Absent where there is none now. */
  readonly instance: SeenInstance | undefined;
  /** Until when what was known before this look is known to have been true. */
  readonly knownUntil: number | undefined;
  /** When a watch told that the run was deleted; otherwise it is only missing from what there is. */
  readonly toldAt: number | undefined;
}

/** Of one machine: those that may have begun and ended before anything of them was written down. */
const keptMax = 4;

export class Witness {
  readonly #seen = new Map<string, Sighting[]>();

  note(machineId: string, { instance, knownUntil, toldAt }: Look): void {
    const seen = this.#seen.get(machineId) ?? [];
    const before = seen.at(-1);
    if (before?.goesOn === true && knownUntil !== undefined) {
      before.aliveAt = Math.max(before.aliveAt ?? 0, knownUntil);
    }
    if (instance?.metadata.uid !== before?.uid && before !== undefined) {
      before.goesOn = false;
      if (instance === undefined && toldAt !== undefined) before.goneAt ??= toldAt;
    }
    // One that never ran is none.
    if (instance === undefined || phaseSince(instance, "Running") === undefined) return;
    const { uid } = instance.metadata;
    const now = before?.uid === uid ? before : newSighting(uid);
    const phase = instance.status?.phase ?? "";
    now.goesOn = phase === "Running";
    if (endPhases.has(phase)) {
      // The first look at an end; another end of the same run is one of a cluster that was set back.
      if (now.last === undefined || endedAt(now.last) !== endedAt(instance)) now.last = instance;
    } else {
      // It goes on, whatever was seen before: of a cluster that was set back.
      delete now.last;
      delete now.goneAt;
      now.wasToldToGo = instance.metadata.deletionTimestamp !== undefined;
    }
    if (now !== before) this.#seen.set(machineId, [...seen, now].slice(-keptMax));
  }

  /** Of the run with that uid. */
  of(machineId: string, uid: string): Witnessed {
    const seen = this.#seen.get(machineId) ?? [];
    const sighting = seen.find((each) => each.uid === uid);
    if (sighting === undefined) return unwitnessed;
    const { aliveAt, last, wasToldToGo, goneAt } = sighting;
    return {
      wasToldToGo,
      ...(aliveAt === undefined ? {} : { aliveAt }),
      ...(last === undefined ? {} : { last }),
      ...(goneAt === undefined ? {} : { goneAt }),
      isLatest: goneAt !== undefined && seen.at(-1) === sighting,
    };
  }

  forget(machineId: string): void {
    this.#seen.delete(machineId);
  }
}

function endedAt(instance: SeenInstance): number | undefined {
  return phaseSince(instance, instance.status?.phase ?? "");
}

function newSighting(uid: string): Sighting {
  return { uid, goesOn: true, wasToldToGo: false };
}
