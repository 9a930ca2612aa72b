/** Another instance that begins as a copy of this one's disk, with its price before it is asked for. */
import { useNavigate } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { flavorChoice } from "#console/components/flavor.ts";
import { Money } from "#console/components/money.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { NumberField, Select, TextField } from "#console/ui/fields.tsx";
import { Facts } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";
import { askedDiskGiB } from "#kernel/flavor-disk.ts";

import type { Lease } from "./actions.ts";

export function CloneDialog({
  lease,
  onClose,
}: {
  readonly lease: Lease;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const navigate = useNavigate();
  const params = { leaseId: lease.id };
  const [name, setName] = useState(`${lease.name}-2`);
  const [flavor, setFlavor] = useState<string | undefined>(lease.flavor.name);
  const [diskGiB, setDisk] = useState<number | undefined>();
  const offers = useApi("listOffers");
  const items = offers.data?.items ?? [];
  const chosen = items.find(({ flavor: each }) => each.name === flavor)?.flavor;
  // As the server does: never less than what is copied, the flavor's own further disks apart.
  const whole = lease.flavor.diskGiB;
  const least = chosen === undefined ? whole : askedDiskGiB(chosen, whole);
  const disk = diskGiB ?? least;
  const quote = useApi(
    "quote",
    { body: { flavor: flavor ?? lease.flavor.name, diskGiB: Math.max(disk, least) } },
    { keepsLast: true, enabled: flavor !== undefined },
  );
  const clone = useAction("cloneLease", {
    onDone: ({ lease: made }) =>
      void navigate({ to: "/instances/$leaseId", params: { leaseId: made.id } }),
  });
  const body = {
    name,
    ...(flavor === undefined || flavor === lease.flavor.name ? {} : { flavor }),
    ...(disk === least ? {} : { diskGiB: disk }),
  };
  const refusal =
    name.trim() === ""
      ? t("rent.fault.nameMissing")
      : disk < least
        ? t("lease.diskOnlyGrows")
        : undefined;
  const command = [
    `millrace lease clone ${lease.name} ${name}`,
    ...(body.flavor === undefined ? [] : [`--flavor ${body.flavor}`]),
    ...(body.diskGiB === undefined ? [] : [`--disk ${body.diskGiB}GiB`]),
  ].join(" ");
  return (
    <ConfirmDialog
      call={{ operation: "cloneLease", request: { params, body }, command }}
      isOpen
      onClose={onClose}
      onConfirm={() => clone.mutate({ params, body })}
      title={t("lease.cloneTitle", { name: lease.name })}
      confirmLabel={t("lease.clone")}
      isBusy={clone.isPending}
      error={clone.error}
      disabledReason={refusal}
    >
      <TextField
        label={t("common.name")}
        value={name}
        onChange={setName}
        maxLength={63}
        isCode
        error={fieldError(clone.error, "name")}
        autoFocus
      />
      <Select
        label={t("instances.flavor")}
        isSearchable
        choices={items.map(({ flavor: each }) => flavorChoice(each, t))}
        value={flavor}
        onChange={setFlavor}
        error={fieldError(clone.error, "flavor")}
      />
      <NumberField
        label={t("rent.disk")}
        value={disk}
        onChange={setDisk}
        min={least}
        suffix=" GiB"
        error={fieldError(clone.error, "diskGiB")}
      />
      <Facts
        rows={[
          [t("lease.clonePrice"), <Money key="hourly" amount={quote.data?.price.hourly} />],
          [t("lease.cloneHold"), <Money key="hold" amount={quote.data?.hold} />],
        ]}
      />
      <Muted>{t("lease.cloneText")}</Muted>
    </ConfirmDialog>
  );
}
