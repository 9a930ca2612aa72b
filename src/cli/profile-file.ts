/** A price profile from a file, JSON or YAML. */
import { profileFromText } from "#client/profile-text.ts";

import { readTextFile } from "./files.ts";

export async function readProfile(path: string): Promise<Record<string, unknown>> {
  return profileFromText(await readTextFile(path), path);
}
