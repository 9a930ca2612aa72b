/** A line of a bill down to its events, and each event down to its proof. */
import { useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { grouped, Money, moneyText } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { durationText, When } from "#console/components/when.tsx";
import { shortQuantity } from "#console/components/quantity.ts";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Notice, Skeleton } from "#console/ui/feedback.tsx";
import { Facts, Row, Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Drawer } from "#console/ui/dialog.tsx";
import { Heading, Muted, Text } from "#console/ui/text.tsx";

import { EventProof } from "./event-proof.tsx";

type Explanation = AnswerOf<"explainLine">;
type Event = Explanation["events"][number];

export interface LineOf {
  readonly date: string;
  readonly sku: string;
}

export function LineDrawer({
  line,
  onClose,
}: {
  readonly line: LineOf;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const params = { date: line.date, sku: line.sku };
  const explained = useApi("explainLine", { params });
  return (
    <Drawer
      isOpen
      onClose={onClose}
      title={`${line.date} · ${line.sku}`}
      closeLabel={t("common.close")}
      size="lg"
    >
      {explained.error !== null ? (
        <ProblemBox error={explained.error} onRetry={() => void explained.refetch()} />
      ) : explained.data === undefined ? (
        <Skeleton lines={8} label={t("common.loading")} />
      ) : (
        <Stack>
          <Rated of={explained.data} />
          <Events of={explained.data} />
          <ShowAsCli
            operation="explainLine"
            request={{ params }}
            command={`millrace bill explain ${line.date} ${line.sku}`}
          />
        </Stack>
      )}
    </Drawer>
  );
}

function Rated({ of }: { readonly of: Explanation }): ReactNode {
  const { t } = useText();
  const { before, after } = of.month;
  return (
    <Stack gap="sm">
      {of.lines.length === 0 ? <Muted>{t("usage.noLines")}</Muted> : null}
      {of.lines.map((line) => (
        <div key={line.revision} className="card" style={{ padding: "0.75rem" }}>
          <Row justify="space-between">
            <Text isStrong>
              {line.revision === 0
                ? t("usage.dayLine")
                : t("usage.lateLine", { number: line.revision })}
            </Text>
            <StateBadge of="charge" state={line.state} />
          </Row>
          <Facts
            rows={[
              [t("usage.quantity"), `${shortQuantity(line.quantity)} ${line.unit}`],
              [
                t("usage.price"),
                `¥${line.listPrice} × ${line.multiplier} (${t(`usage.source.${line.priceSource}`)})`,
              ],
              [t("orders.amount"), <Money key="amount" amount={line.amount} />],
              ...(line.postedAt === null
                ? []
                : [[t("usage.posted"), <When key="at" how="both" at={line.postedAt} />] as const]),
            ]}
          />
        </div>
      ))}
      <Heading level={3}>{t("usage.how")}</Heading>
      <Muted>{t("usage.howText")}</Muted>
      <Facts
        rows={[
          [
            t("usage.before"),
            `${before.quantity} → ¥${before.exact} ≈ ${moneyText(before.rounded)}`,
          ],
          [t("usage.after"), `${after.quantity} → ¥${after.exact} ≈ ${moneyText(after.rounded)}`],
        ]}
      />
    </Stack>
  );
}

function Events({ of }: { readonly of: Explanation }): ReactNode {
  const { t } = useText();
  const [proved, setProved] = useState<number>();
  return (
    <Stack gap="sm">
      <Heading level={3}>{t("usage.events", { count: of.events.length })}</Heading>
      {of.isCut ? <Notice tone="info">{t("usage.cut")}</Notice> : null}
      {of.checkpoint === null ? null : (
        <Muted>{t("usage.checkpoint", { size: of.checkpoint.size })}</Muted>
      )}
      <ul className="plain-list">
        {of.events.map((event) => (
          <li key={`${event.source} ${event.id}`} className="line" style={{ display: "block" }}>
            <EventRow
              event={event}
              date={of.date}
              isOpen={event.leaf !== null && proved === event.leaf}
              onProve={() =>
                setProved(event.leaf === proved ? undefined : (event.leaf ?? undefined))
              }
            />
          </li>
        ))}
      </ul>
    </Stack>
  );
}

function EventRow({
  event,
  date,
  isOpen,
  onProve,
}: {
  readonly event: Event;
  readonly date: string;
  readonly isOpen: boolean;
  readonly onProve: () => void;
}): ReactNode {
  const { t, language } = useText();
  const name = event.resource === "" ? event.resourceId.slice(0, 8) : event.resource;
  return (
    <Stack gap="xs">
      <Row justify="space-between">
        <div>
          {event.work === "lease" ? (
            <TextLink to="/instances/$leaseId" params={{ leaseId: event.resourceId }}>
              {name}
            </TextLink>
          ) : (
            <TextLink to="/jobs/$jobId" params={{ jobId: event.resourceId }}>
              {name}
            </TextLink>
          )}{" "}
          <Muted>
            {event.units} × {durationText(event.seconds, language)}{" "}
            {t("usage.exactly", { seconds: grouped(String(event.seconds)) })}
            {event.kind === "retracted" ? ` · ${t("usage.retracted")}` : ""}
            {event.counted ? "" : ` · ${t("usage.notCounted")}`}
          </Muted>
          <div>
            <Muted size="xs">
              <When how="absolute" at={event.from} /> – <When how="time" at={event.until} />
            </Muted>
          </div>
        </div>
        <Button
          size="xs"
          kind="quiet"
          icon="shield"
          onClick={onProve}
          disabledReason={event.leaf === null ? t("usage.notLogged") : undefined}
        >
          {t("usage.proof")}
        </Button>
      </Row>
      {isOpen && event.leaf !== null ? <EventProof leafIndex={event.leaf} date={date} /> : null}
    </Stack>
  );
}
