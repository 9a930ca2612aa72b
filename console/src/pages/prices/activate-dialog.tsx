/** A draft is put in force from a day that is still to come; what would surprise is said once more. */
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { useTimeZone } from "#console/api/session.ts";
import { dayBefore, todayIn } from "#console/components/date-range.tsx";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { useNow } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { DateField } from "#console/ui/fields.tsx";
import { Muted, Text } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

import { Findings } from "./findings.tsx";
import { versionName, type Version } from "./profile-state.ts";

export function ActivateDialog({
  version,
  onClose,
}: {
  readonly version: Version;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const nowMs = useNow(true, 60_000);
  // A day that has begun nowhere yet; the server knows for certain and says so.
  const earliest = dayBefore(todayIn("Pacific/Kiritimati", nowMs), -1);
  const nextMonth = firstOfNextMonth(todayIn(useTimeZone(), nowMs));
  const [from, setFrom] = useState(nextMonth > earliest ? nextMonth : earliest);
  const detail = useApi("getPriceProfile", { params: { profileId: version.id } });
  const name = versionName(version);
  const activate = useAction("activatePriceProfile", {
    onDone: ({ activeFrom }) => {
      toast({ tone: "good", title: t("prices.activated", { name, day: activeFrom ?? from }) });
      onClose();
    },
  });
  const request = { params: { profileId: version.id }, body: { from } };
  return (
    <FormDialog
      title={t("prices.activateTitle", { name })}
      onClose={onClose}
      onSubmit={() => activate.mutate(request)}
      submitLabel={t("prices.activate")}
      isBusy={activate.isPending}
      error={activate.error}
      disabledReason={from < earliest ? t("prices.daysAhead", { day: earliest }) : undefined}
      call={{ operation: "activatePriceProfile", request }}
    >
      <Text>{t("prices.activateText")}</Text>
      <DateField
        label={t("prices.firstDay")}
        description={t("prices.activateMonth")}
        value={from}
        min={earliest}
        onChange={setFrom}
        required
      />
      {detail.data === undefined ? (
        <Muted>{t("prices.checking")}</Muted>
      ) : (
        <Findings findings={detail.data.findings} />
      )}
    </FormDialog>
  );
}

function firstOfNextMonth(today: string): string {
  const [year = 0, month = 1] = today.split("-").map(Number);
  return new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10);
}
