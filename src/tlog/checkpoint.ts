/**
 * Checkpoints (C2SP tlog-checkpoint): the log's name, its size and its root, as a signed note. What
 * must stay true: two checkpoints of a log are consistent; who holds two that are not has proof.
 */
import { assert } from "#kernel/assert.ts";

import { fromBase64, toBase64 } from "./base64.ts";
import { hashLength } from "./hash.ts";
import type { Ed25519Verify, NoteKey, Signer } from "./keys.ts";
import { openNote, parseNote, signNote, type SignedBy } from "./note.ts";
import { isCount } from "./spans.ts";

const extensionsMax = 16;

export interface Checkpoint {
  /** The name of the log. */
  readonly origin: string;
  /** Leaves. */
  readonly size: number;
  readonly root: Uint8Array;
  /** Further lines, which this program never writes and skips where it finds them. */
  readonly extensions?: readonly string[];
}

export function checkpointText({ origin, size, root, extensions = [] }: Checkpoint): string {
  assert(isCount(size) && root.length === hashLength, "a checkpoint has a size and a root");
  return [origin, String(size), toBase64(root), ...extensions, ""].join("\n");
}

export function signCheckpoint(checkpoint: Checkpoint, signer: Signer): string {
  return signNote(checkpointText(checkpoint), signer);
}

/** The body of a note; `undefined` for anything that is not a checkpoint to the letter. */
export function parseCheckpointText(text: string): Checkpoint | undefined {
  const lines = text.split("\n");
  const [origin = "", size = "", encoded = "", ...rest] = lines;
  const extensions = rest.slice(0, -1);
  if (rest.length === 0 || rest.at(-1) !== "" || extensions.length > extensionsMax) {
    return undefined;
  }
  if (origin === "" || extensions.includes("")) return undefined;
  const root = fromBase64(encoded);
  if (root?.length !== hashLength || !/^(?:0|[1-9][0-9]{0,15})$/.test(size)) return undefined;
  if (!isCount(Number(size))) return undefined;
  return { origin, size: Number(size), root, extensions };
}

export type OpenedCheckpoint =
  | {
      readonly kind: "signed";
      readonly checkpoint: Checkpoint;
      /** The log itself, then the cosigners that are known. */
      readonly by: readonly SignedBy[];
    }
  /** `key` is whose signature it is not. */
  | { readonly kind: "forged"; readonly key: NoteKey }
  | { readonly kind: "malformed" | "not_signed_by_log" | "other_log" };

export interface Opening {
  readonly verify: Ed25519Verify;
  /** Of the log; its name is the origin that is expected. */
  readonly logKey: NoteKey;
  readonly cosigners?: readonly NoteKey[];
}

/** Nothing of a checkpoint is told before the log's own signature is found right. */
export function openCheckpoint(text: string, opening: Opening): OpenedCheckpoint {
  const { verify, logKey, cosigners = [] } = opening;
  const note = parseNote(text);
  const checkpoint = note === undefined ? undefined : parseCheckpointText(note.text);
  if (note === undefined || checkpoint === undefined) return { kind: "malformed" };
  if (checkpoint.origin !== logKey.name) return { kind: "other_log" };
  const opened = openNote(verify, note, [logKey, ...cosigners]);
  if (opened.kind === "forged") return opened;
  if (opened.kind === "unsigned") return { kind: "not_signed_by_log" };
  const ofLog = opened.by.filter(({ key }) => key === logKey);
  if (ofLog.length === 0) return { kind: "not_signed_by_log" };
  const by = [...ofLog, ...opened.by.filter(({ key }) => key !== logKey)];
  return { kind: "signed", checkpoint, by };
}
