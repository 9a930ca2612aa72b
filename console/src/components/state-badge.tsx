/** The state of a thing: a word and an icon; the color only helps. */
import type { ReactNode } from "react";

import { textIfThere } from "#console/i18n/index.ts";
import type { states } from "#console/i18n/en/states.ts";
import { Badge } from "#console/ui/feedback.tsx";
import type { IconName } from "#console/ui/icons.tsx";
import type { Tone } from "#console/ui/theme.ts";

import { useServerWords } from "./server-words.ts";

type Kind = keyof typeof states;
type StateOf<K extends Kind> = keyof (typeof states)[K] & string;

type Look = readonly [tone: Tone, icon: IconName];

const running: Look = ["good", "play"];
const done: Look = ["good", "check"];
const waiting: Look = ["attention", "wait"];
const working: Look = ["info", "refresh"];
const resting: Look = ["quiet", "stop"];
const over: Look = ["quiet", "minus"];
const failed: Look = ["bad", "alert"];

/** By the word of the state, whatever it is the state of. */
const looks: Readonly<Record<string, Look>> = {
  queued: waiting,
  creating: working,
  starting: working,
  stopping: working,
  canceling: working,
  releasing: working,
  deleting: working,
  building: working,
  running,
  stopped: resting,
  failed,
  timed_out: failed,
  down: failed,
  overdue: failed,
  released: over,
  deleted: over,
  steady: done,
  scaling: working,
  refused: ["attention", "alert"],
  canceled: over,
  retired: over,
  void: over,
  superseded: over,
  disabled: over,
  succeeded: done,
  ready: done,
  paid: done,
  posted: done,
  active: done,
  up: done,
  final: done,
  open: ["info", "clock"],
  draft: ["info", "clock"],
  provisional: ["info", "clock"],
  maintenance: ["attention", "tool"],
  suspended: ["attention", "pause"],
  info: ["info", "info"],
  warning: ["attention", "alert"],
  critical: failed,
  kvm: ["good", "chip"],
  emulated: ["attention", "chip"],
  simulated: ["info", "book"],
  none: over,
  hard: ["good", "shield"],
  soft: ["attention", "shield"],
};

export function StateBadge<K extends Kind>({
  of,
  state,
  why,
}: {
  readonly of: K;
  readonly state: StateOf<K>;
  /** Shown on pointing at it. */
  readonly why?: string | undefined;
}): ReactNode {
  // Drawn again in the other language; a state of a newer server is shown as it is called there.
  const told = useServerWords();
  const [tone, icon] = lookOf(of, state);
  return (
    <Badge tone={tone} icon={icon} title={why === undefined ? undefined : told(why)}>
      {textIfThere(`states.${of}.${state}`) ?? state}
    </Badge>
  );
}

function lookOf(of: Kind, state: string): Look {
  // An operation that runs is under way, not a thing that stands ready.
  if (of === "operation" && state === "running") return working;
  return looks[state] ?? ["quiet", "info"];
}
