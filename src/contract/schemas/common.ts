/** Shapes that many operations share: ids, names, money, time, pages, problems. */
import { z } from "zod";

export const id = z.uuid();

/** A label a person gives: shown, never interpreted; no control characters. */
export const displayName = z
  .string()
  .trim()
  .min(1)
  .max(100)
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  .regex(/^[^\u0000-\u001F\u007F-\u009F\u2028\u2029]*$/u, "must not contain control characters")
  .meta({ description: "1 to 100 characters, no control characters" });

/** DNS label: becomes a host name or part of a path at the platform. */
export const dnsName = z
  .string()
  .max(63)
  .regex(/^[a-z](?:[a-z0-9-]*[a-z0-9])?$/, "lower-case letters, digits and '-', first a letter")
  .meta({ description: "A DNS label: lower-case letters, digits and '-'" });

/** Amount in the currency of the installation (CNY), e.g. "12.50". */
export const money = z
  .string()
  .regex(/^-?(?:0|[1-9][0-9]{0,15})\.[0-9]{2}$/, 'an amount such as "12.50"')
  .meta({ description: "Decimal string with two digits, CNY" });

/** An amount that a caller sends: positive, one or two decimals allowed to be left out. */
export const positiveMoney = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,2})?$/, 'an amount such as "100" or "12.50"')
  .refine((text) => /[1-9]/.test(text), "must be more than zero");

/** RFC 3339, UTC. */
export const timestamp = z.iso.datetime({ offset: true });

/** A local calendar day, e.g. 2026-05-04. */
export const day = z.iso.date();

export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
});

/** One page; `next` is there while there may be more. */
export function page<T extends z.ZodType>(
  item: T,
): z.ZodObject<{ items: z.ZodArray<T>; next: z.ZodOptional<z.ZodString> }> {
  return z.object({ items: z.array(item), next: z.string().optional() });
}

/** RFC 9457. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  requestId: z.string(),
  details: z.record(z.string(), z.unknown()),
});
export type Problem = z.output<typeof problem>;

export const nothing = z.undefined();

/** What a refusal or a wait rests on, for a person and for a program. */
export const reason = z.object({
  code: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type Reason = z.output<typeof reason>;
