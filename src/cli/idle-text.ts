/** What happens to a lease that nobody uses, in one line. */
import type { AnswerOf } from "#client/types.ts";

import { time } from "./text.ts";

type Idleness = AnswerOf<"getLeaseIdleness">;

/** One line on what will happen; `undefined` where nothing ever does. */
export function idleText(value: Idleness): string | undefined {
  switch (value.state) {
    case "off":
    case "subscription":
    case "not_running":
    case "cannot_keep":
      return undefined;
    case "exempt":
      return "It is exempt: never released for idleness.";
    case "active":
      return value.warnAt === null
        ? undefined
        : `Nothing has moved since ${time(value.idleSince)}; a warning follows at ${time(value.warnAt)} if nothing does.`;
    case "warned":
      return `Nothing has moved since ${time(value.idleSince)}; it is released after ${time(value.releaseAt)} unless something does.`;
    case "releasing":
      return "It was idle to the end: its disk is being kept as a snapshot, then it is released.";
    case "released":
      return "It was released for idleness; see 'millrace snapshot list' for what is kept.";
  }
}
