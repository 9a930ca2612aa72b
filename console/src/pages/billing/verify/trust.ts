/** What somebody gave to trust, as the check takes it. */
import type { Trust } from "#verify/log.ts";

import type { GivenTrust } from "./trust-fields.tsx";

export function trustOf({ key, checkpoint }: GivenTrust): Trust {
  return {
    key: key.trim() === "" ? undefined : key.trim(),
    // To the letter as it was signed, but for what pasting does to its end.
    checkpoint: checkpoint.trim() === "" ? undefined : `${checkpoint.trimEnd()}\n`,
  };
}

/** Its second line, which the server is told so that the bundle goes on from there. */
export function sizeOfCheckpoint(text: string): number | undefined {
  const line = text.split("\n")[1]?.trim() ?? "";
  return /^[0-9]{1,15}$/.test(line) ? Number(line) : undefined;
}
