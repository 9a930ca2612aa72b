/** A price agreed with the customer from a midnight of his to come, beside what he pays now. */
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { useTimeZone } from "#console/api/session.ts";
import { dayBefore, todayIn } from "#console/components/date-range.tsx";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { DateField, Select, Switch, TextArea, TextField } from "#console/ui/fields.tsx";

const pricePattern = /^(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})?$/;

export function PriceDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useText();
  const list = useApi("getPriceList");
  const tomorrow = dayBefore(todayIn(useTimeZone(), Date.now()), -1);
  const [sku, setSku] = useState<string>();
  const [price, setPrice] = useState("");
  const [isListAgain, setListAgain] = useState(false);
  const [from, setFrom] = useState(tomorrow);
  const [reason, setReason] = useState("");
  const save = useAction("setContractPrice", { onDone: onClose });
  const metered = list.data?.metered ?? [];
  const chosen = metered.find((each) => each.sku === sku);
  const typed = price.trim();
  const request = {
    body: { sku: sku ?? "", from, price: isListAgain ? null : typed, reason: reason.trim() },
  };
  const isRight = isListAgain || pricePattern.test(typed);
  const missing =
    sku === undefined
      ? t("customers.skuNeeded")
      : !isRight
        ? t("customers.priceNeeded")
        : from === ""
          ? t("customers.override.dayNeeded")
          : reason.trim() === ""
            ? t("customers.reasonNeeded")
            : undefined;
  const now =
    chosen === undefined
      ? undefined
      : chosen.price === null
        ? t("customers.noListPrice")
        : t(chosen.isAgreed ? "customers.agreedNow" : "customers.listNow", {
            price: `¥${chosen.price}`,
            unit: chosen.unit ?? "—",
          });
  return (
    <FormDialog
      title={t("customers.agreePrice")}
      onClose={onClose}
      submitLabel={t("common.save")}
      isBusy={save.isPending}
      error={save.error ?? list.error}
      disabledReason={missing}
      call={{ operation: "setContractPrice", request }}
      onSubmit={() => save.mutate(request)}
    >
      <Select
        label={t("customers.sku")}
        description={now}
        value={sku}
        onChange={setSku}
        isSearchable
        choices={metered.map((each) => ({ value: each.sku, label: each.sku }))}
        error={fieldError(save.error, "sku")}
      />
      <Switch
        label={t("customers.listAgain")}
        description={t("customers.listAgainText")}
        isOn={isListAgain}
        onChange={setListAgain}
      />
      {isListAgain ? null : (
        <TextField
          label={t("customers.price")}
          description={t("customers.priceHelp", { unit: chosen?.unit ?? "—" })}
          value={price}
          onChange={setPrice}
          maxLength={16}
          autoComplete="off"
          error={
            fieldError(save.error, "price") ??
            (typed === "" || isRight ? undefined : t("customers.priceNeeded"))
          }
        />
      )}
      <DateField
        label={t("customers.from")}
        description={t("customers.fromHelp")}
        value={from}
        min={tomorrow}
        onChange={setFrom}
        error={fieldError(save.error, "from")}
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
    </FormDialog>
  );
}
