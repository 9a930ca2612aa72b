/** What a person types for a value, and what it means: sizes, times, pairs, GPUs. */
import { z } from "zod";

import { bytesFromText } from "#kernel/quantity.ts";

const bytesPerMib = 2n ** 20n;

function sizeIn(unit: bigint, unitName: string, example: string): z.ZodType<number, string> {
  return z.string().transform((text, context) => {
    const bytes = /^[0-9.]+$/.test(text) ? undefined : bytesFromText(text);
    if (bytes !== undefined && bytes % unit === 0n) return Number(bytes / unit);
    context.addIssue(
      `${JSON.stringify(text)} is no whole number of ${unitName}: write a size with its unit, such as ${example}`,
    );
    return z.NEVER;
  });
}

/** "512MiB", "4GiB" */
export const sizeMib = sizeIn(bytesPerMib, "MiB", "4GiB");
/** "40GiB", "1TiB" */
export const sizeGib = sizeIn(bytesPerMib * 1024n, "GiB", "40GiB");

const secondsOf: Readonly<Record<string, number>> = { d: 86_400, h: 3600, m: 60, s: 1 };

/** "90s", "30m", "2h", "1h30m", "3d"; a plain number is seconds. */
export const seconds = z.string().transform((text, context) => {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  if (
    /^(?:[0-9]{1,9}d)?(?:[0-9]{1,9}h)?(?:[0-9]{1,9}m)?(?:[0-9]{1,9}s)?$/.test(text) &&
    text !== ""
  ) {
    let total = 0;
    for (const [, count, unit] of text.matchAll(/([0-9]+)([dhms])/g)) {
      total += Number(count) * (secondsOf[unit ?? ""] ?? 0);
    }
    return total;
  }
  context.addIssue(
    `${JSON.stringify(text)} is no duration: write one such as 90s, 30m, 2h or 1h30m`,
  );
  return z.NEVER;
});

/** "NAME=value", with anything behind the first "=". */
export const pair = z.string().transform((text, context): [string, string] => {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  context.addIssue(`${JSON.stringify(text)} is no pair: write NAME=VALUE`);
  return z.NEVER;
});

export const pairs = z
  .array(pair)
  .default([])
  .transform((list): Record<string, string> => Object.fromEntries(list));

/** "A100", "A100:2", "A100/4" (a quarter of one). */
export const gpuText = z.string().transform((text, context) => {
  const match = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:(:|\/)([1-9][0-9]?))?$/.exec(text);
  if (match !== null) {
    const [, model = "", sign, digits] = match;
    const number = Number(digits ?? 1);
    return sign === "/" ? { model, count: 1, slice: number } : { model, count: number, slice: 1 };
  }
  context.addIssue(
    `${JSON.stringify(text)} is no GPU: write A100, A100:2 for two, or A100/4 for a quarter of one`,
  );
  return z.NEVER;
});

export const count = z.coerce.number().int().min(0);
