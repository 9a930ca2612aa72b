/**
 * What the site of a machine can do with it, as its driver said: a row's word, and what it is for one
 * machine. A site of an earlier release does not say, and is taken for able: it refuses by itself.
 */
import { z } from "zod";

import type { Shape } from "#kernel/shape.ts";

export const capabilityRow = z.object({
  can: z.boolean(),
  because: z.string().optional(),
  classes: z.array(z.string()).optional(),
});
type CapabilityRow = z.output<typeof capabilityRow>;

export type Ability = { readonly can: true } | { readonly can: false; readonly because: string };

/** Of a machine of that shape: another service class may have other storage. */
export function abilityOf(
  said: CapabilityRow | null | undefined,
  { serviceClass }: Pick<Shape, "serviceClass">,
): Ability {
  if (said === null || said === undefined || said.can) return { can: true };
  if (said.classes?.includes(serviceClass) === false) return { can: true };
  return { can: false, because: said.because ?? "its platform cannot" };
}
