/** How far a snapshot, a restore or a move is; and a snapshot that holds less than it should. */
import type { Explanation } from "./explanation.ts";
import {
  conditionOf,
  isTrue,
  type SeenMigration,
  type SeenRestore,
  type SeenSnapshot,
} from "./seen.ts";

export type Progress =
  | { readonly state: "running" }
  | { readonly state: "done"; readonly at: number | undefined }
  | { readonly state: "failed"; readonly reason: Explanation };

/** `disks` are the names of the machine's volumes that the snapshot must hold. */
export function snapshotProgress(snapshot: SeenSnapshot, disks: readonly string[]): Progress {
  const { phase, readyToUse, error, snapshotVolumes, creationTime } = snapshot.status ?? {};
  const said = error?.message ?? conditionOf(snapshot, "Failure")?.message ?? "";
  if (phase === "Failed") {
    return failed(
      "snapshot_failed",
      `The snapshot could not be taken: ${said || "no reason given"}`,
    );
  }
  if (readyToUse !== true) return { state: "running" };
  const held = new Set(snapshotVolumes?.includedVolumes ?? []);
  const without = disks.filter((disk) => !held.has(disk));
  if (without.length === 0 && held.size > 0)
    return { state: "done", at: creationTime ?? undefined };
  return failed(
    "snapshot_without_disk",
    `The snapshot holds the machine's configuration, but not ${without.join(", ") || "any disk"}: it cannot bring it back.`,
    "Set up a VolumeSnapshotClass for that storage, delete this snapshot and take another.",
  );
}

export function restoreProgress(restore: SeenRestore): Progress {
  if (restore.status?.complete === true) return { state: "done", at: undefined };
  const failure = conditionOf(restore, "Failure");
  if (failure?.status !== "True") return { state: "running" };
  return restoreFailed(`The machine could not be put back: ${failure.message ?? ""}`);
}

export function restoreFailed(message: string): Progress {
  return failed("restore_failed", message);
}

export function migrationProgress(migration: SeenMigration): Progress {
  const { phase, migrationState } = migration.status ?? {};
  if (phase === "Succeeded") return { state: "done", at: undefined };
  if (phase !== "Failed") return { state: "running" };
  const said = migrationState?.failureReason ?? rejected(migration) ?? "no reason given";
  return failed("move_failed", `The machine could not be moved: ${said}. It runs on where it was.`);
}

function rejected(migration: SeenMigration): string | undefined {
  return isTrue(migration, "migrationRejectedByResourceQuota")
    ? "the namespace's quota has no room for a second pod while it moves"
    : undefined;
}

function failed(
  code: string,
  message: string,
  action = "Mend what it says and ask for it again.",
): Progress {
  return { state: "failed", reason: { code, for: "operator", message, action } };
}
