/**
 * Why something waits, failed or ended, in the reader's language where the numbers in the reason
 * allow it; otherwise in the server's words.
 */
import type { AnswerOf } from "#client/types.ts";

import { useTimeZone } from "#console/api/session.ts";
import { instantText } from "#console/components/when.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { textIfThere, useText, type Values } from "#console/i18n/index.ts";

export type Reason = NonNullable<AnswerOf<"getJob">["reason"]>;

/** What a text of ours has in it; without all of it the server's sentence says more. */
const needs: Readonly<Record<string, readonly string[]>> = {
  no_room: ["needed", "free", "largest", "position"],
  fits_never: ["needed", "largest"],
  reserved: ["needed", "startsAt"],
  would_delay: ["needed", "until"],
  quota_held: ["held", "heldMax", "needed"],
  no_host_fits: ["hosts"],
  timed_out: ["timeLimitSeconds"],
  exited: [],
  host_down: [],
  preempted: [],
};
const longer = new Set(["no_host_fits", "host_down", "preempted"]);
const instants = new Set(["startsAt", "until"]);

export function useReasonText(): (reason: Reason) => string {
  const { language } = useText();
  const told = useServerWords();
  const timeZone = useTimeZone();
  return (reason) => {
    const words = told(reason.message);
    // Of these the server's sentence says more than a text with a few numbers can.
    const isKnown = language === "en" || words !== reason.message;
    if (isKnown && longer.has(reason.code)) return words;
    const values = valuesOf(reason, (at) =>
      instantText(new Date(at).toISOString(), { language, timeZone }),
    );
    if (values === undefined) return words;
    return textIfThere(`jobs.reason.${reason.code}`, values) ?? words;
  };
}

export function valuesOf(reason: Reason, instant: (at: number) => string): Values | undefined {
  const names = needs[reason.code];
  if (names === undefined) return undefined;
  const exitCode = /exit code (-?[0-9]+)/.exec(reason.message)?.[1];
  const values: Record<string, string | number> = exitCode === undefined ? {} : { exitCode };
  if (reason.code === "exited" && exitCode === undefined) return undefined;
  for (const name of names) {
    const value = reason.details?.[name];
    if (typeof value === "number") values[name] = instants.has(name) ? instant(value) : value;
    else return undefined;
  }
  return values;
}
