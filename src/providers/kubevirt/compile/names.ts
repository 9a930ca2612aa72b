/** Names of objects: from stored facts, so that the same thing always has the same name. */
import { createHash } from "node:crypto";

/** A DNS label that begins with a letter, as Services demand. */
export function machineName(machineId: string): string {
  return `m-${machineId}`;
}

export function machineIdOf(name: string): string | undefined {
  return /^m-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/u.exec(name)?.[1];
}

export function namespaceName(projectId: string): string {
  return `p-${projectId}`;
}

export function poolName(groupId: string): string {
  return `g-${groupId}`;
}

/**
 * A snapshot, restore or migration of a machine, by the id of what asked for it. An id that is no DNS
 * label (a call that is made again has one such as `…~2`) is told apart by its hash.
 */
export function actName(kind: "snapshot" | "restore" | "migration", id: string): string {
  const plain = `${kind}-${id}`;
  if (plain.length <= labelCharactersMax && /^[a-z0-9-]*[a-z0-9]$/u.test(id)) return plain;
  const readable = id.replaceAll(/[^a-z0-9]+/gu, "-").slice(0, readableCharactersMax);
  const hash = createHash("sha256").update(id).digest("hex").slice(0, hashCharacters);
  return `${kind}-${readable}-${hash}`;
}

const labelCharactersMax = 63;
const readableCharactersMax = 42;
const hashCharacters = 10;

/** The secret, disk, claim or service of a machine. */
export function partName(machine: string, part: string): string {
  return `${machine}-${part}`;
}
