/** Money comes in: a payment is announced, and how it is made is said; the operator may record one. */
import { useState, type FormEvent, type ReactNode } from "react";

import { useAction } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { moneyText } from "#console/components/money.tsx";
import { fieldError, ProblemBox } from "#console/components/problem-box.tsx";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { RadioGroup, TextField } from "#console/ui/fields.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Dialog } from "#console/ui/dialog.tsx";
import { toast } from "#console/ui/toast.tsx";

type Way = "bank_transfer" | "test" | "record";

const amountPattern = /^(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,2})?$/;
const presets = ["100", "1000", "5000"] as const;

export function TopUpDialog({
  onClose,
  onDone,
}: {
  readonly onClose: () => void;
  readonly onDone: () => void;
}): ReactNode {
  const { t } = useText();
  const mayRecord = useMay()("platform.manage");
  const [amount, setAmount] = useState("");
  const [way, setWay] = useState<Way>("bank_transfer");
  const [reference, setReference] = useState("");
  const pay = useAction("createPayment", { onDone });
  const record = useAction("createTopUp", {
    onDone: ({ balance }) => {
      toast({
        tone: "good",
        title: t("billing.pay.recorded"),
        text: t("billing.pay.nowAvailable", { amount: moneyText(balance.available) }),
      });
      onDone();
    },
  });
  const isRight = amountPattern.test(amount) && /[1-9]/.test(amount);
  const reason = !isRight
    ? t("billing.pay.needsAmount")
    : way === "record" && reference.trim() === ""
      ? t("billing.pay.needsReference")
      : undefined;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (reason !== undefined) return;
    if (way === "record") record.mutate({ body: { amount, reference } });
    else pay.mutate({ body: { amount, method: way } });
  };
  const error = way === "record" ? record.error : pay.error;
  const ways = [
    {
      value: "bank_transfer" as const,
      label: t("billing.pay.bank"),
      description: t("billing.pay.bankText"),
    },
    {
      value: "test" as const,
      label: t("billing.pay.test"),
      description: t("billing.pay.testText"),
    },
    ...(mayRecord
      ? [
          {
            value: "record" as const,
            label: t("billing.pay.record"),
            description: t("billing.pay.recordText"),
          },
        ]
      : []),
  ];
  return (
    <Dialog isOpen onClose={onClose} title={t("billing.topUp")} closeLabel={t("common.close")}>
      <form onSubmit={submit}>
        <Stack>
          <TextField
            label={t("billing.pay.amount")}
            description={t("billing.pay.amountHelp")}
            value={amount}
            maxLength={12}
            autoFocus
            required
            autoComplete="off"
            error={
              fieldError(error, "amount") ??
              (amount === "" || isRight ? undefined : t("billing.pay.needsAmount"))
            }
            onChange={(text) => setAmount(text.trim())}
          />
          <Row gap="xs">
            {presets.map((preset) => (
              <Button key={preset} size="xs" onClick={() => setAmount(preset)}>
                {moneyText(preset)}
              </Button>
            ))}
          </Row>
          <RadioGroup label={t("billing.pay.way")} choices={ways} value={way} onChange={setWay} />
          {way === "record" ? (
            <TextField
              label={t("billing.pay.reference")}
              description={t("billing.pay.referenceHelp")}
              value={reference}
              maxLength={100}
              required
              error={fieldError(error, "reference")}
              onChange={setReference}
            />
          ) : null}
          {error === null ? null : <ProblemBox error={error} />}
          <Row justify="space-between">
            {way === "record" ? (
              <ShowAsCli operation="createTopUp" request={{ body: { amount, reference } }} />
            ) : (
              <ShowAsCli
                operation="createPayment"
                request={{ body: { amount, method: way } }}
                command={`millrace top-up ${amount || "100"} --method ${way}`}
              />
            )}
            <Button
              type="submit"
              kind="primary"
              isBusy={pay.isPending || record.isPending}
              disabledReason={reason}
            >
              {t(way === "record" ? "billing.pay.recordDo" : "billing.pay.go")}
            </Button>
          </Row>
        </Stack>
      </form>
    </Dialog>
  );
}
