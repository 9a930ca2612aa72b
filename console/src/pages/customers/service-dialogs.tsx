/** What an engagement costs, and that it is done or given back: each for the customer who ordered it. */
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { useTimeZone } from "#console/api/session.ts";
import { dayBefore, todayIn } from "#console/components/date-range.tsx";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { moneyText } from "#console/components/money.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { dayText } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { dayEnd } from "#console/pages/account/zone-days.ts";
import { DateField, RadioGroup, TextArea, TextField } from "#console/ui/fields.tsx";
import { toast } from "#console/ui/toast.tsx";

import type { Ordered } from "./services-page.tsx";

const offerDays = 30;
const amountPattern = /^(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,2})?$/;

interface Props {
  readonly service: Ordered;
  readonly onClose: () => void;
}

export function OfferDialog({ service, onClose }: Props): ReactNode {
  const { t } = useText();
  const { tenantId } = service;
  const zone = useTimeZone();
  const today = todayIn(zone, Date.now());
  const offers = useApi("listServiceOffers", {}, { tenantId });
  const [amount, setAmount] = useState("");
  const [through, setThrough] = useState(dayBefore(today, -offerDays));
  const offer = useAction("offerService", { tenantId, onDone: onClose });
  const day = dayText(through);
  const request = {
    params: { serviceId: service.id },
    body: { amount: amount.trim(), until: day === undefined ? "" : dayEnd(day, zone) },
  };
  const isRight = amountPattern.test(amount.trim()) && /[1-9]/.test(amount);
  const range = offers.data?.modelOptimization;
  return (
    <FormDialog
      title={t("selling.offerTitle", { name: service.tenant })}
      onClose={onClose}
      submitLabel={t("selling.offer")}
      isBusy={offer.isPending}
      error={offer.error}
      disabledReason={
        !isRight
          ? t("selling.amountNeeded")
          : day === undefined || day < today
            ? t("customers.override.dayNeeded")
            : undefined
      }
      call={{ operation: "offerService", request, tenantId }}
      onSubmit={() => offer.mutate(request)}
    >
      <Description text={service.description} />
      <TextField
        label={t("customers.amount")}
        description={
          range === undefined
            ? t("billing.pay.amountHelp")
            : t("selling.amountRange", {
                from: moneyText(range.from),
                to: moneyText(range.to),
              })
        }
        value={amount}
        onChange={setAmount}
        maxLength={12}
        autoFocus
        required
        autoComplete="off"
        error={fieldError(offer.error, "amount")}
      />
      <DateField
        label={t("selling.offerThrough")}
        value={through}
        min={today}
        onChange={setThrough}
        error={fieldError(offer.error, "until")}
      />
    </FormDialog>
  );
}

export function FinishServiceDialog({ service, onClose }: Props): ReactNode {
  const { t } = useText();
  const { tenantId } = service;
  const [outcome, setOutcome] = useState<"done" | "refunded">("done");
  const [note, setNote] = useState("");
  const finish = useAction("finishService", {
    tenantId,
    onDone: ({ refund }) => {
      toast({
        tone: "good",
        title: t("selling.finished"),
        ...(refund === null ? {} : { text: t("selling.refunded", { amount: moneyText(refund) }) }),
      });
      onClose();
    },
  });
  const request = {
    params: { serviceId: service.id },
    body: { outcome, note: note.trim() },
  };
  return (
    <FormDialog
      title={t("selling.finishTitle", { name: service.tenant })}
      onClose={onClose}
      submitLabel={t("selling.finish")}
      isBusy={finish.isPending}
      error={finish.error}
      disabledReason={note.trim() === "" ? t("customers.noteNeeded") : undefined}
      call={{ operation: "finishService", request, tenantId }}
      onSubmit={() => finish.mutate(request)}
    >
      <Description text={service.description} />
      <RadioGroup
        label={t("selling.outcome")}
        value={outcome}
        onChange={setOutcome}
        choices={(["done", "refunded"] as const).map((value) => ({
          value,
          label: t(`selling.outcomeOf.${value}`),
          description: t(`selling.outcomeText.${value}`),
        }))}
      />
      <TextArea
        label={t("selling.note")}
        description={t("selling.noteHelp")}
        value={note}
        onChange={setNote}
        maxLength={1000}
        rows={2}
        required
        error={fieldError(finish.error, "note")}
      />
    </FormDialog>
  );
}

function Description({ text }: { readonly text: string }): ReactNode {
  return (
    <div
      dir="auto"
      style={{
        whiteSpace: "pre-wrap",
        overflowWrap: "anywhere",
        maxHeight: "10rem",
        overflowY: "auto",
      }}
    >
      {text}
    </div>
  );
}
