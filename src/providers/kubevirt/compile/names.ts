/** Names of objects: from stored facts, so that the same thing always has the same name. */

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

/** A snapshot, restore or migration of a machine, by the id of what asked for it. */
export function actName(kind: "snapshot" | "restore" | "migration", id: string): string {
  return `${kind}-${id}`;
}

/** The secret, disk, claim or service of a machine. */
export function partName(machine: string, part: string): string {
  return `${machine}-${part}`;
}
