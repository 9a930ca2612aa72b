/**
 * What a host starts none of, whatever room it has: machines of a class, or hosted jobs. Platforms say it of
 * their hosts as data, in a sentence for whoever runs them; placement goes elsewhere, or waits with it.
 */
import type { Shape } from "./shape.ts";

export const workKinds = ["core", "standard", "job"] as const;
/** A machine, by its service class, or a hosted job of either. */
export type WorkKind = (typeof workKinds)[number];

/** Why not, by kind; what is not named it starts. */
export type Refuses = Readonly<Partial<Record<WorkKind, string>>>;

export function workKind(
  kind: "lease" | "job",
  { serviceClass }: Pick<Shape, "serviceClass">,
): WorkKind {
  return kind === "job" ? "job" : serviceClass;
}
