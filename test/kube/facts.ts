/**
 * The folder of facts about Kubernetes and KubeVirt that lies beside the checkout: structural schemas
 * and the verdicts of a real control plane. Where it is absent, the tests that need it are skipped and
 * say so; every rule has a test of its own besides, in this tree.
 */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

const folder = resolve(import.meta.dirname, "../../../shared/kube");

export const factsHere = existsSync(folder);

/** Put into the title of what is skipped without them. */
export const factsNote = factsHere ? "" : " (skipped: ../shared/kube is not here)";

export function factsPath(...parts: readonly string[]): string {
  return resolve(folder, ...parts);
}

/** The content of a JSON file; `undefined` where the folder is absent. */
export function readFacts(...parts: readonly string[]): unknown {
  if (!factsHere) return undefined;
  return JSON.parse(readFileSync(factsPath(...parts), "utf8"));
}
