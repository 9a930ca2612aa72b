/**
 * Turns a broken constraint into the sentence that explains it. The statement that broke it has
 * ended its transaction, so this is for refusing, not for carrying on.
 */
import type { Failure } from "#kernel/failure.ts";

import { brokenConstraint } from "./pool.ts";

/** By the constraint's name in the migration. */
export type Explanations = Readonly<Record<string, () => Failure>>;

export async function explained<T>(work: Promise<T>, explanations: Explanations): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const explain = explanations[brokenConstraint(error) ?? ""];
    throw explain === undefined ? error : explain();
  }
}
