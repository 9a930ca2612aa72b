/** What is seen of a machine in words, as the contract has them: why it waits, and what to know besides. Pure. */
import type { MachineCondition } from "#providers/kubevirt/observe/condition.ts";
import type { Explanation } from "#providers/kubevirt/observe/explanation.ts";
import type { Machine, Remark } from "#providers/machine.ts";

/** A guest boots that long; one whose agent says nothing after that may have none. */
const bootMs = 2 * 60_000;
const silent = "guest_agent_silent";

export function remarksOf(
  { reason, notes }: MachineCondition,
  { power, powerSince, guest }: Pick<Machine, "power" | "powerSince" | "guest">,
): Pick<Machine, "waiting" | "notes"> {
  const isUp = power.value === "running" || power.value === "paused";
  const boots = isUp && !guest.ready && power.at - powerSince > bootMs;
  // Of a machine that was ready once the agent's silence is for who asks it, not for its owner.
  const known = notes.filter(({ code }) => code !== silent);
  const why = reason ?? (boots ? notes.find(({ code }) => code === silent) : undefined);
  return {
    ...(why === undefined ? {} : { waiting: remarkOf(why) }),
    ...(known.length === 0 ? {} : { notes: known.map(remarkOf) }),
  };
}

/** In the words of the contract. */
export function remarkOf({ code, message, action, for: who, details }: Explanation): Remark {
  return { code, message, advice: action, who, ...(details === undefined ? {} : { details }) };
}
