/**
 * What an attempt saved before it was ended, for the attempt after it: the folder `checkpoint` of the
 * newest results of its job, laid into the same place. What must stay true: results that cannot be read
 * keep no job from going on; it then begins anew.
 */
import { readTar, tarEntry, type Entry } from "#archive/tar.ts";
import type { Db } from "#db/pool.ts";
import { attemptFiles, type StoredFile } from "#storage/files.ts";
import { readRange } from "#storage/read.ts";

/** In the results directory. */
const folder = "checkpoint";
const resultsName = "results";
const entriesMax = 100_000;

/** The results that hold it; `undefined` where there is nothing to go on from. */
export async function savedWork(
  db: Db,
  root: string,
  of: { readonly tenantId: string; readonly jobId: string; readonly attempt: number },
): Promise<StoredFile | undefined> {
  if (of.attempt === 1) return undefined;
  const files = await attemptFiles(db, of, "results");
  const newest = files.findLast(
    ({ attempt, state }) => state === "ready" && (attempt ?? of.attempt) < of.attempt,
  );
  if (newest === undefined) return undefined;
  try {
    let found = 0;
    for await (const { entry } of await entriesOf(root, newest)) {
      if (savedPath(entry.path) !== undefined) found += 1;
    }
    return found === 0 || found > entriesMax ? undefined : newest;
  } catch {
    return undefined;
  }
}

/** The entries of an archive that lays it into the work directory. */
export async function* savedEntries(root: string, file: StoredFile): AsyncGenerator<Buffer> {
  for await (const { entry, content } of await entriesOf(root, file)) {
    const path = savedPath(entry.path);
    if (path === undefined) continue;
    const moved: Entry = { ...entry, path, uid: 0, gid: 0, user: "", group: "" };
    // A second name of a file that is not taken along points nowhere.
    const target = entry.kind === "same" ? savedPath(entry.target ?? "") : entry.target;
    if (entry.kind === "same" && target === undefined) continue;
    yield* tarEntry({ entry: { ...moved, ...(target === undefined ? {} : { target }) }, content });
  }
}

async function entriesOf(root: string, file: StoredFile): Promise<ReturnType<typeof readTar>> {
  return readTar(await readRange(root, file, { from: 0, until: file.sizeBytes }), "skip");
}

/** `./checkpoint/step` is `results/checkpoint/step`; anything else stays where it is. */
function savedPath(path: string): string | undefined {
  const plain = path.replace(/^(?:\.\/+)+/, "");
  const parts = plain.split("/");
  if (parts[0] !== folder || parts.includes("..")) return undefined;
  return `${resultsName}/${plain}`;
}
