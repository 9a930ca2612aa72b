/** A tier by hand: which, why, who approved it, through which day of the customer. */
import { useState, type ReactNode } from "react";

import { useAction } from "#console/api/queries.ts";
import { useSession, useTimeZone } from "#console/api/session.ts";
import { dayBefore, todayIn } from "#console/components/date-range.tsx";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { dayText } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { dayEnd } from "#console/pages/account/zone-days.ts";
import { DateField, RadioGroup, TextArea, TextField } from "#console/ui/fields.tsx";
import { Text } from "#console/ui/text.tsx";

import { tiers, type Tier } from "./badges.tsx";

const daysDefault = 90;

export function OverrideDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useText();
  const { user } = useSession();
  const zone = useTimeZone();
  const today = todayIn(zone, Date.now());
  const [tier, setTier] = useState<Tier>("gold");
  const [reason, setReason] = useState("");
  const [approvedBy, setApprovedBy] = useState(user.name);
  const [through, setThrough] = useState(dayBefore(today, -daysDefault));
  const save = useAction("overrideTier", { onDone: onClose });
  const day = dayText(through);
  const request = {
    body: {
      tier,
      reason: reason.trim(),
      approvedBy: approvedBy.trim(),
      until: day === undefined ? "" : dayEnd(day, zone),
    },
  };
  const missing =
    reason.trim() === "" || approvedBy.trim() === ""
      ? t("customers.override.incomplete")
      : day === undefined || day < today
        ? t("customers.override.dayNeeded")
        : undefined;
  return (
    <FormDialog
      title={t("customers.override.title")}
      onClose={onClose}
      submitLabel={t("common.save")}
      isBusy={save.isPending}
      error={save.error}
      disabledReason={missing}
      call={{ operation: "overrideTier", request }}
      onSubmit={() => save.mutate(request)}
    >
      <Text isMuted>{t("customers.override.lead")}</Text>
      <RadioGroup
        label={t("customers.tier")}
        value={tier}
        onChange={setTier}
        choices={tiers.map((value) => ({ value, label: t(`customers.tierName.${value}`) }))}
      />
      <TextArea
        label={t("customers.why")}
        value={reason}
        onChange={setReason}
        rows={2}
        maxLength={500}
        required
        error={fieldError(save.error, "reason")}
      />
      <TextField
        label={t("customers.override.approvedBy")}
        value={approvedBy}
        onChange={setApprovedBy}
        maxLength={100}
        required
        error={fieldError(save.error, "approvedBy")}
      />
      <DateField
        label={t("customers.override.through")}
        description={t("customers.override.throughHelp")}
        value={through}
        min={today}
        onChange={setThrough}
        error={fieldError(save.error, "until")}
      />
    </FormDialog>
  );
}
