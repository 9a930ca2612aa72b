/** Opens a port of an instance, or of all of its project, to the networks that are given. */
import { useState, type ReactNode } from "react";

import { useAction } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { NumberField, Select, TextField } from "#console/ui/fields.tsx";

import type { Lease } from "./actions.ts";

export function OpeningDialog({
  lease,
  onClose,
}: {
  readonly lease: Lease;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const [scope, setScope] = useState<"lease" | "project" | undefined>("lease");
  const [protocol, setProtocol] = useState<"tcp" | "udp" | undefined>("tcp");
  const [port, setPort] = useState<number>();
  const [from, setFrom] = useState("");
  const [note, setNote] = useState("");
  const open = useAction("createOpening", { onDone: onClose });
  const sources = from.split(/[\s,]+/u).filter((each) => each !== "");
  const request = {
    params: { projectId: lease.projectId },
    body: {
      ...(scope === "project" ? {} : { leaseId: lease.id }),
      protocol: protocol ?? "tcp",
      port: port ?? 0,
      sources,
      ...(note.trim() === "" ? {} : { note: note.trim() }),
    },
  };
  const why =
    port === undefined
      ? t("lease.openings.portMissing")
      : sources.length === 0
        ? t("lease.openings.fromMissing")
        : undefined;
  return (
    <FormDialog
      title={t("lease.openings.add")}
      onClose={onClose}
      submitLabel={t("lease.openings.add")}
      isBusy={open.isPending}
      error={open.error}
      disabledReason={why}
      call={{ operation: "createOpening", request }}
      onSubmit={() => open.mutate(request)}
    >
      <Select
        label={t("lease.openings.of")}
        choices={[
          { value: "lease", label: lease.name },
          { value: "project", label: t("lease.openings.ofProject") },
        ]}
        value={scope}
        onChange={setScope}
      />
      <Select
        label={t("lease.openings.protocol")}
        choices={[
          { value: "tcp", label: "TCP" },
          { value: "udp", label: "UDP" },
        ]}
        value={protocol}
        onChange={setProtocol}
      />
      <NumberField
        label={t("lease.openings.port")}
        value={port}
        onChange={setPort}
        min={1}
        max={65_535}
        required
        error={fieldError(open.error, "port")}
      />
      <TextField
        label={t("lease.openings.from")}
        description={t("lease.openings.fromHelp")}
        value={from}
        onChange={setFrom}
        maxLength={2_000}
        isCode
        required
        error={fieldError(open.error, "sources")}
      />
      <TextField
        label={t("lease.openings.note")}
        value={note}
        onChange={setNote}
        maxLength={100}
        error={fieldError(open.error, "note")}
      />
    </FormDialog>
  );
}
