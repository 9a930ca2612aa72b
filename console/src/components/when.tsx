/** An instant: how long ago it is, and exactly when, in the tenant's zone, on pointing at it. */
import { useEffect, useState, type ReactNode } from "react";

import { useText, type Language } from "#console/i18n/index.ts";
import { useTimeZone } from "#console/api/session.ts";

type How = "relative" | "absolute" | "both" | "day" | "time";

export function When({
  at,
  how = "relative",
}: {
  readonly at: string | null | undefined;
  readonly how?: How;
}): ReactNode {
  const { language } = useText();
  const timeZone = useTimeZone();
  const nowMs = useNow(how === "relative" || how === "both", usualMs, at);
  if (at === null || at === undefined) return <span>—</span>;
  const absolute = instantText(at, { language, timeZone });
  const relative = relativeText(at, nowMs, language);
  const shown = {
    relative,
    absolute,
    both: `${absolute} (${relative})`,
    day: instantText(at, { language, timeZone, shows: "day" }),
    time: instantText(at, { language, timeZone, shows: "time" }),
  };
  return (
    <time dateTime={at} title={`${absolute} ${timeZone}`} className="tabular">
      {shown[how]}
    </time>
  );
}

export function instantText(
  at: string,
  {
    language,
    timeZone,
    shows = "both",
  }: {
    readonly language: Language;
    readonly timeZone: string;
    readonly shows?: "both" | "day" | "time";
  },
): string {
  const format = kept(`${language} ${timeZone} ${shows}`, instantFormats, () => {
    return new Intl.DateTimeFormat(language === "en" ? "en-GB" : "zh-CN", {
      timeZone,
      ...(shows === "time" ? {} : { year: "numeric", month: "short", day: "numeric" }),
      ...(shows === "day"
        ? {}
        : { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
    });
  });
  return format.format(new Date(at));
}

/** To make one takes longer than to draw the row of a table that it is for. */
const instantFormats = new Map<string, Intl.DateTimeFormat>();
const relativeFormats = new Map<string, Intl.RelativeTimeFormat>();

function kept<Format>(key: string, formats: Map<string, Format>, make: () => Format): Format {
  const format = formats.get(key) ?? make();
  formats.set(key, format);
  return format;
}

/** Sentences of the server name instants in UTC; a person reads them in the tenant's zone. */
export function withLocalTimes(
  sentence: string,
  as: { readonly language: Language; readonly timeZone: string },
): string {
  return sentence.replaceAll(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g, (at) =>
    Number.isNaN(Date.parse(at)) ? at : instantText(at, as),
  );
}

const steps = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const;

export function relativeText(at: string, nowMs: number, language: Language): string {
  const seconds = Math.round((Date.parse(at) - nowMs) / 1000);
  const [unit, size] = steps.find(([, each]) => Math.abs(seconds) >= each) ?? ["second", 1];
  const format = kept(language, relativeFormats, () => {
    return new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  });
  return format.format(Math.trunc(seconds / size), unit);
}

/** "1 d 2 h", "3 min 4 s": the two largest units. */
export function durationText(seconds: number, language: Language): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    [Math.floor(whole / 86_400), "day"],
    [Math.floor((whole % 86_400) / 3600), "hour"],
    [Math.floor((whole % 3600) / 60), "minute"],
    [whole % 60, "second"],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  const shown = first === -1 ? parts.slice(3) : parts.slice(first, first + 2);
  return shown
    .filter(([amount], index) => amount > 0 || index === 0)
    .map(([amount, unit]) =>
      new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(amount),
    )
    .join(" ");
}

const usualMs = 10_000;

/**
 * Moves on every 10 s while somebody looks, and when `of` changes: what has just happened is not told as
 * something to come.
 */
export function useNow(isNeeded = true, everyMs = usualMs, of?: string | null): number {
  const [last, setLast] = useState(() => ({ nowMs: Date.now(), of }));
  if (last.of !== of) setLast({ nowMs: Date.now(), of });
  useEffect(() => {
    if (!isNeeded) return undefined;
    const timer = setInterval(() => setLast({ nowMs: Date.now(), of }), everyMs);
    return () => clearInterval(timer);
  }, [isNeeded, everyMs, of]);
  return last.nowMs;
}
