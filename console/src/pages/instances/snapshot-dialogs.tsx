/** Questions before a snapshot is made, gone back to, removed, or rented again. */
import { useNavigate } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";

import { useAction } from "#console/api/queries.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { Switch, TextField } from "#console/ui/fields.tsx";
import { Text } from "#console/ui/text.tsx";

import type { Lease } from "./actions.ts";
import type { Snapshot } from "./snapshots-tab.tsx";

export type SnapshotAction = "revert" | "restore" | "delete";

export function CreateSnapshot({
  lease,
  onClose,
}: {
  readonly lease: Lease;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const [name, setName] = useState("");
  const told = useServerWords();
  const memory = lease.capabilities?.snapshotWithMemory ?? { can: true };
  const [withMemory, setWithMemory] = useState(lease.state === "running" && memory.can);
  const create = useAction("createSnapshot", { onDone: onClose });
  return (
    <ConfirmDialog
      call={{
        operation: "createSnapshot",
        request: { params: { leaseId: lease.id }, body: { name, withMemory } },
      }}
      isOpen
      onClose={onClose}
      onConfirm={() => create.mutate({ params: { leaseId: lease.id }, body: { name, withMemory } })}
      title={t("lease.createSnapshot")}
      confirmLabel={t("common.create")}
      isBusy={create.isPending}
      error={create.error}
      disabledReason={name.trim() === "" ? t("rent.fault.nameMissing") : undefined}
    >
      <TextField
        label={t("common.name")}
        value={name}
        onChange={setName}
        maxLength={100}
        error={fieldError(create.error, "name")}
        autoFocus
      />
      <Switch
        label={t("lease.withMemory")}
        description={
          memory.can
            ? t("lease.withMemoryHelp")
            : t("lease.memoryNotKept", { because: told(memory.because) })
        }
        disabled={!memory.can}
        isOn={withMemory}
        onChange={setWithMemory}
      />
      <Text size="sm">{t("lease.snapshotText")}</Text>
    </ConfirmDialog>
  );
}

export function SnapshotDialog({
  action,
  lease,
  snapshot,
  onClose,
}: {
  readonly action: SnapshotAction;
  readonly lease: Lease;
  readonly snapshot: Snapshot;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const navigate = useNavigate();
  const [name, setName] = useState(lease.name);
  const params = { leaseId: lease.id, snapshotId: snapshot.id };
  const revert = useAction("revertSnapshot", { onDone: onClose });
  const remove = useAction("deleteSnapshot", { onDone: onClose });
  const restore = useAction("restoreSnapshot", {
    onDone: ({ lease: made }) =>
      void navigate({ to: "/instances/$leaseId", params: { leaseId: made.id } }),
  });
  const restored = { params: { snapshotId: snapshot.id }, body: { name } };
  const run = {
    revert: () => revert.mutate({ params }),
    delete: () => remove.mutate({ params }),
    restore: () => restore.mutate(restored),
  };
  const call = {
    revert: { operation: "revertSnapshot", request: { params } },
    delete: { operation: "deleteSnapshot", request: { params } },
    restore: { operation: "restoreSnapshot", request: restored },
  } as const;
  const { isPending, error } = { revert, delete: remove, restore }[action];
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      onConfirm={run[action]}
      call={call[action]}
      title={`${t(`lease.snapshotAction.${action}`)}: ${snapshot.name}`}
      confirmLabel={t(`lease.snapshotAction.${action}`)}
      isDangerous={action !== "restore"}
      isBusy={isPending}
      error={error}
    >
      <Text>{t(`lease.snapshotActionText.${action}`)}</Text>
      {action === "restore" ? (
        <TextField
          label={t("common.name")}
          value={name}
          onChange={setName}
          maxLength={63}
          isCode
          error={fieldError(error, "name")}
        />
      ) : null}
    </ConfirmDialog>
  );
}
