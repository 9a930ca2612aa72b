/** Within which bounds, and at which price at most, the platform may size an instance by what it uses. */
import { useState, type ReactNode } from "react";
import type { AnswerOf, RequestOf } from "#client/types.ts";

import { useAction } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { amountOf, fenOf } from "#console/components/money.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { NumberField, TextField } from "#console/ui/fields.tsx";
import { Grid } from "#console/ui/layout.tsx";
import { Text } from "#console/ui/text.tsx";

import type { Lease } from "./actions.ts";

type Advice = AnswerOf<"getLeaseRecommendation">;
type Body = RequestOf<"setSizing">["body"];

const amount = /^[0-9]{1,10}(?:\.[0-9]{1,2})?$/;

export function AutoSizeDialog({
  lease,
  advice,
  onClose,
}: {
  readonly lease: Lease;
  readonly advice: Advice;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const [body, setBody] = useState<Partial<Body>>(() => begunWith(advice));
  const save = useAction("setSizing", { onDone: onClose });
  const change = (next: Partial<Body>): void => setBody({ ...body, ...next });
  const whole = wholeOf(body);
  const request = { params: { leaseId: lease.id }, body: whole ?? begunWith(advice) };
  const number = (
    key:
      | "vcpusMin"
      | "vcpusMax"
      | "memoryMiBMin"
      | "memoryMiBMax"
      | "cooldownMinutes"
      | "noticeMinutes",
    [min, suffix]: readonly [min: number, suffix: string],
  ): ReactNode => (
    <NumberField
      label={t(`lease.autoSize.${key}`)}
      value={body[key]}
      min={min}
      suffix={suffix}
      onChange={(value) => change({ [key]: value })}
      error={fieldError(save.error, key)}
    />
  );
  return (
    <FormDialog
      title={t("lease.autoSize.title", { name: lease.name })}
      onClose={onClose}
      submitLabel={t("common.save")}
      isBusy={save.isPending}
      error={save.error}
      disabledReason={whole === undefined ? t("lease.autoSize.incomplete") : undefined}
      call={{ operation: "setSizing", request }}
      onSubmit={() => {
        if (whole !== undefined) save.mutate({ params: { leaseId: lease.id }, body: whole });
      }}
    >
      <Text isMuted>{t("lease.autoSize.text")}</Text>
      <Grid columns={2}>
        {number("vcpusMin", [1, ""])}
        {number("vcpusMax", [1, ""])}
        {number("memoryMiBMin", [1, " MiB"])}
        {number("memoryMiBMax", [1, " MiB"])}
        {number("cooldownMinutes", [10, " min"])}
        {number("noticeMinutes", [5, " min"])}
      </Grid>
      <TextField
        label={t("lease.autoSize.hourlyMax")}
        description={t("lease.autoSize.hourlyMaxHelp")}
        value={body.hourlyMax ?? ""}
        maxLength={13}
        onChange={(hourlyMax) => change({ hourlyMax: hourlyMax.trim() })}
        error={fieldError(save.error, "hourlyMax")}
      />
    </FormDialog>
  );
}

/** As it is set; else room for twice of what it has. */
function begunWith({ automatic, current }: Advice): Body {
  if (automatic !== null) {
    const { vcpusMin, vcpusMax, memoryMiBMin, memoryMiBMax, hourlyMax } = automatic;
    const { cooldownMinutes, noticeMinutes } = automatic;
    return {
      vcpusMin,
      vcpusMax,
      memoryMiBMin,
      memoryMiBMax,
      hourlyMax,
      cooldownMinutes,
      noticeMinutes,
    };
  }
  const { vcpus, memoryMiB, hourly } = current;
  return {
    vcpusMin: 1,
    vcpusMax: vcpus * 2,
    memoryMiBMin: 1,
    memoryMiBMax: memoryMiB * 2,
    hourlyMax: amountOf(fenOf(hourly ?? "0") * 2n),
    cooldownMinutes: 60,
    noticeMinutes: 15,
  };
}

function wholeOf(body: Partial<Body>): Body | undefined {
  const { vcpusMax, memoryMiBMax, hourlyMax = "" } = body;
  if (vcpusMax === undefined || memoryMiBMax === undefined || !amount.test(hourlyMax)) {
    return undefined;
  }
  return { ...body, vcpusMax, memoryMiBMax, hourlyMax };
}
