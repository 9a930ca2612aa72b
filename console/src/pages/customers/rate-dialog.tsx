/**
 * An application whole, and the initial rating with its reason. The rating is a note of the
 * operator's: what the customer pays decides his tier.
 */
import { useState, type ReactNode } from "react";

import { useAction } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { moneyText } from "#console/components/money.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Notice } from "#console/ui/feedback.tsx";
import { RadioGroup, TextArea } from "#console/ui/fields.tsx";
import { Facts } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";

import type { Application } from "./application-columns.tsx";
import { tiers } from "./badges.tsx";

export function RateDialog({
  application,
  onClose,
}: {
  readonly application: Application;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("platform.manage");
  const { id, tenantId, state, suggestedTier, ratedBy, ratedAt } = application;
  const [rating, setRating] = useState(application.initialRating ?? suggestedTier);
  const [note, setNote] = useState(application.note ?? "");
  // Of the customer who sent it, whoever is acted for.
  const rate = useAction("rateApplication", { tenantId, onDone: onClose });
  const request = { params: { applicationId: id }, body: { rating, note: note.trim() } };
  const isSame = rating === application.initialRating && note.trim() === application.note;
  const mayNot = !mayManage
    ? t("customers.operatorOnly")
    : state === "withdrawn"
      ? t("selling.wasWithdrawn")
      : note.trim() === ""
        ? t("customers.reasonNeeded")
        : isSame
          ? t("account.nothingChanged")
          : undefined;
  return (
    <FormDialog
      title={t("selling.rateTitle", { company: application.company })}
      onClose={onClose}
      submitLabel={t("selling.rate")}
      isBusy={rate.isPending}
      error={rate.error}
      disabledReason={mayNot}
      call={{ operation: "rateApplication", request, tenantId }}
      onSubmit={() => rate.mutate(request)}
      size="lg"
    >
      <Facts
        rows={[
          [
            t("customers.one"),
            <TextLink key="who" to="/operate/customers/$tenantId" params={{ tenantId }}>
              {t("selling.toCustomer")}
            </TextLink>,
          ],
          [
            t("selling.people"),
            application.scale === "individual" ? t("selling.individual") : application.scale,
          ],
          [t("selling.budget"), moneyText(application.monthlyBudget)],
          [t("selling.contact"), <bdi key="contact">{application.contact}</bdi>],
          [t("selling.sent"), <When key="sent" how="both" at={application.createdAt} />],
          [
            t("selling.demand"),
            <div
              key="demand"
              dir="auto"
              // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, also by keyboard
              tabIndex={0}
              role="group"
              aria-label={t("selling.demand")}
              style={{
                whiteSpace: "pre-wrap",
                overflowWrap: "anywhere",
                maxHeight: "12rem",
                overflowY: "auto",
              }}
            >
              {application.demand}
            </div>,
          ],
        ]}
      />
      {ratedAt === null ? null : (
        <Notice tone="info">
          {t("selling.ratedBy", { name: ratedBy ?? "—" })} <When how="both" at={ratedAt} />
        </Notice>
      )}
      <RadioGroup
        label={t("selling.rating")}
        description={t("selling.ratingHelp", { tier: t(`customers.tierName.${suggestedTier}`) })}
        value={rating}
        onChange={setRating}
        choices={tiers.map((value) => ({ value, label: t(`customers.tierName.${value}`) }))}
      />
      <TextArea
        label={t("customers.why")}
        value={note}
        onChange={setNote}
        maxLength={4000}
        rows={2}
        required
        error={fieldError(rate.error, "note")}
      />
    </FormDialog>
  );
}
