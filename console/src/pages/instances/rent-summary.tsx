/** What stays in view while one chooses: the price, what would be cheaper, whether there is room, the balance after it. */
import type { ReactNode } from "react";
import type { LooseRequest } from "#client/types.ts";
import type { AnswerOf } from "#client/types.ts";

import { useMay } from "#console/api/session.ts";
import { amountOf, fenOf, Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { NumberField, Segments, Select, Switch } from "#console/ui/fields.tsx";
import { Notice, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Divider, Facts, Stack } from "#console/ui/layout.tsx";
import { Figure, Muted, Text } from "#console/ui/text.tsx";

import { Cheaper } from "./rent-cheaper.tsx";
import { plans, type Plan } from "./rent-form.ts";
import type { RentQuote } from "./rent-quote.ts";
import { RentRoom } from "./rent-room.tsx";

interface SummaryProps {
  readonly offer: AnswerOf<"listOffers">["items"][number];
  readonly quote: RentQuote;
  readonly plan: Plan;
  readonly hours: number;
  readonly onPlan: (plan: Plan) => void;
  readonly onHours: (hours: number) => void;
  readonly autoRenew: boolean;
  readonly onAutoRenew: (isOn: boolean) => void;
  readonly error: unknown;
  readonly isBusy: boolean;
  readonly call: {
    readonly operation: "createLease" | "orderSubscription";
    readonly request: LooseRequest;
    readonly command?: string;
  };
}

export function RentSummary(props: SummaryProps): ReactNode {
  const { t } = useText();
  const { offer, quote, plan, error, call } = props;
  return (
    <Card title={t("rent.summary")}>
      <Stack gap="sm">
        {offer.flavor.subscriptionSku === null ? null : <PlanChoice {...props} />}
        {plan === "on_demand" ? <ByTheHour {...props} /> : <ByTerm {...props} />}
        <Divider />
        <RentRoom room={quote.room} />
        {error === null || error === undefined ? null : <ProblemBox error={error} />}
        <Submit {...props} />
        <ShowAsCli operation={call.operation} request={call.request} command={call.command} />
      </Stack>
    </Card>
  );
}

function PlanChoice({ plan, onPlan, autoRenew, onAutoRenew }: SummaryProps): ReactNode {
  const { t } = useText();
  return (
    <Stack gap="xs">
      <Select
        label={t("rent.plan")}
        choices={plans.map((value) => ({ value, label: t(`rent.plans.${value}`) }))}
        value={plan}
        onChange={(next) => onPlan(next ?? "on_demand")}
      />
      {plan === "on_demand" ? null : (
        <Switch label={t("rent.autoRenew")} isOn={autoRenew} onChange={onAutoRenew} />
      )}
    </Stack>
  );
}

const hourChoices = ["1", "8", "24", "168", "720"] as const;

function ByTheHour({ quote, hours, onHours }: SummaryProps): ReactNode {
  const { t } = useText();
  const { data, error } = quote.price;
  const preset = hourChoices.find((value) => Number(value) === hours);
  if (data === undefined) {
    return error === null ? (
      <Skeleton label={t("common.loading")} />
    ) : (
      <ProblemBox error={error} onRetry={() => void quote.price.refetch()} />
    );
  }
  const { price, total, hold, available, affordable, cheaperIf } = data;
  const after = hold === null ? undefined : amountOf(fenOf(available) - fenOf(hold));
  return (
    <Stack gap="sm">
      <Figure label={t("common.perHour")}>
        <Money amount={price.hourly} />
      </Figure>
      <Facts
        rows={[
          [t("common.perDay"), <Money key="day" amount={price.daily} />],
          [t("common.perMonth"), <Money key="month" amount={price.monthly} />],
        ]}
      />
      <details>
        <summary>{t("rent.madeOf")}</summary>
        <Facts
          rows={price.lines.map((line) => [
            line.sku,
            <span key={line.sku}>
              {line.units} × {line.unitPrice ?? "—"} = <Money amount={line.hourly} />
            </span>,
          ])}
        />
      </details>
      <Segments
        label={t("rent.hours")}
        fullWidth
        choices={hourChoices.map((value) => ({ value, label: t(`rent.hoursOf.${value}`) }))}
        value={preset ?? "720"}
        onChange={(value) => onHours(Number(value))}
      />
      <NumberField
        label={t("rent.hours")}
        value={hours}
        min={1}
        max={87_600}
        suffix={` ${t("rent.hoursUnit")}`}
        onChange={(value) => value !== undefined && value >= 1 && value <= 87_600 && onHours(value)}
      />
      <Facts
        rows={[
          [
            t("rent.total"),
            <strong key="total">
              <Money amount={total} />
            </strong>,
          ],
          [t("rent.hold"), <Money key="hold" amount={hold} />],
          [t("rent.available"), <Money key="available" amount={available} />],
          [t("rent.after"), <Money key="after" amount={after} />],
        ]}
      />
      {affordable ? null : <NotEnough />}
      <Cheaper ways={cheaperIf} />
    </Stack>
  );
}

function ByTerm({ quote, plan }: SummaryProps): ReactNode {
  const { t, language } = useText();
  const may = useMay();
  const { data, error } = quote.order;
  if (!may("billing.read")) return <Muted>{t("rent.needsBilling")}</Muted>;
  if (data === undefined) {
    return error === null ? (
      <Skeleton label={t("common.loading")} />
    ) : (
      <ProblemBox error={error} onRetry={() => void quote.order.refetch()} />
    );
  }
  const { rates, amount, listPrice, discounts, available, affordable, remarks } = data;
  return (
    <Stack gap="sm">
      <Figure label={t(`rent.plans.${plan}`)}>
        <Money amount={amount} />
      </Figure>
      <Facts
        rows={[
          [t("rent.listPrice"), <Money key="list" amount={listPrice} />],
          ...discounts.map(
            (each) =>
              [each.text[language], <Money key={each.rule} amount={each.amount} />] as const,
          ),
          ...(rates === null
            ? []
            : ([
                [t("common.perHour"), <Money key="hour" amount={rates.hourly} />],
                [t("common.perDay"), <Money key="day" amount={rates.daily} />],
                [t("common.perMonth"), <Money key="month" amount={rates.monthly} />],
              ] as const)),
          [t("rent.available"), <Money key="available" amount={available} />],
          [
            t("rent.after"),
            <Money key="after" amount={amountOf(fenOf(available) - fenOf(amount))} />,
          ],
        ]}
      />
      {affordable ? null : <NotEnough />}
      <Cheaper ways={data.cheaperIf} />
      {remarks.map((remark) => (
        <Text key={remark.en} size="sm" isMuted>
          {remark[language]}
        </Text>
      ))}
      <Muted size="xs">{t("rent.termNote")}</Muted>
    </Stack>
  );
}

function NotEnough(): ReactNode {
  const { t } = useText();
  return <Notice tone="attention">{t("rent.notEnough")}</Notice>;
}

function Submit({ plan, quote, isBusy, offer }: SummaryProps): ReactNode {
  const { t } = useText();
  const may = useMay();
  const isTerm = plan !== "on_demand";
  const refusal = !may("compute.use")
    ? t("instances.whyNot.permission")
    : isTerm && !may("billing.manage")
      ? t("rent.needsBilling")
      : quote.room.data?.never === true
        ? t("rent.never")
        : offer.price.status === "on_request"
          ? t("offers.noPrice")
          : isTerm && quote.order.data === undefined
            ? t("rent.noQuote")
            : undefined;
  return (
    <Button
      type="submit"
      kind="primary"
      size="md"
      fullWidth
      isBusy={isBusy}
      disabledReason={refusal}
    >
      {isTerm ? t("rent.order") : t("instances.rent")}
    </Button>
  );
}
