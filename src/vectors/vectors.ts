/**
 * Pricing vectors (examples as JSON, told apart by `kind`) run through the product's own rules:
 * the one adapter between their words and ours. `npm run vectors -- FILE…` runs it by hand
 * (run.ts). A new kind is one more entry in `kinds`; any other kind is `unsupported`.
 */
import { z } from "zod";

import { parsePriceProfile } from "#catalog/profile.ts";

import { customerKinds } from "./kinds-customers.ts";
import { drawdownKinds } from "./kinds-drawdown.ts";
import { orderKinds } from "./kinds-orders.ts";
import { ordinaryKinds } from "./kinds-plain.ts";
import { paygKinds } from "./kinds-payg.ts";
import type { VectorAnswer, VectorKind } from "./schema.ts";

const kinds: ReadonlyMap<string, VectorKind> = new Map([
  ...Object.entries(paygKinds),
  ...Object.entries(ordinaryKinds),
  ...Object.entries(customerKinds),
  ...Object.entries(orderKinds),
  ...Object.entries(drawdownKinds),
]);

const json = z.record(z.string(), z.unknown());

const vectorSchema = z.looseObject({ kind: z.string(), expected: z.unknown().optional() });

/** Dotted names of figures in the profile and what this vector has in their place. */
const overrideSchema = z.object({ profile_override: json.default({}) });

/**
 * What the product says to one vector under a profile (in its JSON form), in the words of the
 * vector. Where `expected` is an object, `got` has the fields that it names and no others; a field
 * that we do not give stays away, and so shows as a difference. Throws on a malformed vector.
 */
export function rateVector(vector: unknown, profileJson: unknown): VectorAnswer {
  const { kind, expected, ...rest } = vectorSchema.parse(vector);
  const run = kinds.get(kind);
  if (run === undefined) return { kind: "unsupported", name: kind };
  const input = rest["input"] ?? rest;
  const overrides = { ...overrideOf(input), ...overrideOf(rest) };
  let profile: Record<string, unknown> = json.parse(profileJson);
  for (const [path, value] of Object.entries(overrides)) {
    profile = withFigure(profile, path.split("."), value);
  }
  const answer = run(input, parsePriceProfile(profile));
  if (answer.kind === "unsupported") {
    return { kind: "unsupported", name: `${kind}, ${answer.name}` };
  }
  return { kind: "got", got: named(answer.got, expected) };
}

function overrideOf(holder: unknown): Record<string, unknown> {
  const parsed = overrideSchema.safeParse(holder);
  return parsed.success ? parsed.data.profile_override : {};
}

function withFigure(
  profile: Readonly<Record<string, unknown>>,
  [name = "", ...rest]: readonly string[],
  value: unknown,
): Record<string, unknown> {
  if (rest.length === 0) return { ...profile, [name]: value };
  const inner = json.safeParse(profile[name]);
  return { ...profile, [name]: withFigure(inner.success ? inner.data : {}, rest, value) };
}

function named(got: unknown, expected: unknown): unknown {
  const [ours, theirs] = [json.safeParse(got), json.safeParse(expected)];
  if (!ours.success || !theirs.success) return got;
  return Object.fromEntries(Object.entries(ours.data).filter(([name]) => name in theirs.data));
}
