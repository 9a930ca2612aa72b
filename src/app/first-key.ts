/**
 * The operator's credential, made at the first start and shown once. What must stay true: whoever
 * kills the program at any moment finds either no operator, so that the next start makes one, or
 * the credential in `operator.json`. Therefore the file is written before the commit, and only
 * when the address is known.
 */
import { open, rename } from "node:fs/promises";
import { join } from "node:path";

import type { Db } from "#db/pool.ts";
import { ensureOperator, type OperatorCredential } from "#identity/operator.ts";

export function operatorFile(dataDirectory: string): string {
  return join(dataDirectory, "operator.json");
}

/** `undefined` if there was an operator already. */
export function makeOperator(
  db: Db,
  place: { readonly dataDirectory: string; readonly url: string; readonly at: number },
): Promise<OperatorCredential | undefined> {
  return db.transaction(async (tx) => {
    const made = await ensureOperator(tx, place.at);
    if (made !== undefined) {
      const content = JSON.stringify({ url: place.url, key: made.secret });
      await write(operatorFile(place.dataDirectory), `${content}\n`);
    }
    return made;
  });
}

async function write(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
