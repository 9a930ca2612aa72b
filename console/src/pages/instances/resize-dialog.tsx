/** Another flavor or a larger disk, with the price of it and whether it needs a restart, before it is asked for. */
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { flavorChoice } from "#console/components/flavor.ts";
import { Money } from "#console/components/money.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { NumberField, Select } from "#console/ui/fields.tsx";
import { Facts } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";
import { askedDiskGiB, wholeDiskGiB } from "#kernel/flavor-disk.ts";

import type { Lease } from "./actions.ts";

export function ResizeDialog({
  lease,
  flavor: recommended,
  onClose,
}: {
  readonly lease: Lease;
  /** Chosen to begin with. */
  readonly flavor?: string;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const params = { leaseId: lease.id };
  const [flavor, setFlavor] = useState<string | undefined>(recommended ?? lease.flavor.name);
  const [diskGiB, setDisk] = useState<number | undefined>();
  const offers = useApi("listOffers");
  const items = offers.data?.items ?? [];
  const chosen = items.find(({ flavor: each }) => each.name === flavor)?.flavor;
  // A lease shows all of its disk; the flavor's further disks are a part of it, which a quote adds by itself.
  const whole = lease.flavor.diskGiB;
  const least = chosen === undefined ? whole : Math.max(whole, wholeDiskGiB(chosen));
  const disk = diskGiB ?? least;
  const isSane = disk >= least && disk <= 65_536;
  const asked = chosen === undefined ? disk : askedDiskGiB(chosen, disk);
  const quote = useApi(
    "quote",
    { body: { flavor: flavor ?? lease.flavor.name, ...(isSane ? { diskGiB: asked } : {}) } },
    { keepsLast: true, enabled: chosen !== undefined },
  );
  const resize = useAction("resizeLease", {
    onDone: () => {
      toast({ tone: "good", title: t("lease.resizeAsked", { name: lease.name }) });
      onClose();
    },
  });
  const body = {
    ...(flavor === undefined || flavor === lease.flavor.name ? {} : { flavor }),
    ...(isSane && disk !== least ? { diskGiB: disk } : {}),
  };
  const told = useServerWords();
  const grows = lease.capabilities?.diskGrow ?? { can: true };
  const fixed = grows.can
    ? undefined
    : t("lease.diskNeverGrows", { because: told(grows.because), size: whole });
  const refusal =
    fixed !== undefined && disk > whole
      ? fixed
      : disk < least
        ? t("lease.diskOnlyGrows")
        : Object.keys(body).length === 0
          ? t("lease.nothingChanged")
          : undefined;
  const command = [
    `millrace lease resize ${lease.name}`,
    ...(body.flavor === undefined ? [] : [`--flavor ${body.flavor}`]),
    ...(body.diskGiB === undefined ? [] : [`--disk ${body.diskGiB}GiB`]),
  ].join(" ");
  return (
    <ConfirmDialog
      call={{ operation: "resizeLease", request: { params, body }, command }}
      isOpen
      onClose={onClose}
      onConfirm={() => resize.mutate({ params, body })}
      title={t("lease.resizeTitle", { name: lease.name })}
      confirmLabel={t("lease.resize")}
      isBusy={resize.isPending}
      error={resize.error}
      disabledReason={refusal}
    >
      <Select
        label={t("instances.flavor")}
        isSearchable
        choices={items.map(({ flavor: each }) => flavorChoice(each, t))}
        value={flavor}
        onChange={setFlavor}
        error={fieldError(resize.error, "flavor")}
      />
      <NumberField
        label={t("rent.disk")}
        description={fixed ?? t("lease.diskOnlyGrows")}
        value={disk}
        onChange={setDisk}
        min={least}
        suffix=" GiB"
        error={fieldError(resize.error, "diskGiB")}
      />
      <Facts
        rows={[
          [t("lease.priceNow"), <Money key="now" amount={lease.price.hourly} />],
          [t("lease.priceThen"), <Money key="then" amount={quote.data?.price.hourly} />],
        ]}
      />
      <Muted>{t("lease.resizeText")}</Muted>
    </ConfirmDialog>
  );
}
