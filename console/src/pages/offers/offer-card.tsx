/** One flavor: what it is made of, how its GPU is had, what it costs, how many are free, and to rent it. */
import type { ReactNode } from "react";

import { useMay } from "#console/api/session.ts";
import { gpuText, memoryText } from "#console/components/flavor.ts";
import { Money } from "#console/components/money.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { Button, LinkButton } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Facts, Row, Stack } from "#console/ui/layout.tsx";
import { Heading, Muted, Text } from "#console/ui/text.tsx";

import type { Offer } from "./choose.ts";

/** The server counts no further. */
const plenty = 100;

export function OfferCard({ offer }: { readonly offer: Offer }): ReactNode {
  const { t } = useText();
  const { flavor, price } = offer;
  const { gpu } = flavor;
  const description = useServerWords()(flavor.description);
  return (
    <article className="card offer" aria-label={flavor.name}>
      <Stack gap="sm">
        <div>
          <Heading level={3}>{gpu === null ? flavor.name : gpuText(gpu)}</Heading>
          <Muted>{gpu === null ? description : `${flavor.name} · ${description}`}</Muted>
        </div>
        <OfferBadges offer={offer} />
        <Facts
          rows={[
            ...(gpu === null
              ? []
              : [
                  [
                    t("offers.gpu"),
                    gpu.slice === 1
                      ? t("offers.whole", { count: gpu.count })
                      : t("offers.slice", { slice: gpu.slice }),
                  ] as const,
                ]),
            [t("offers.cpu"), t("offers.vcpus", { count: flavor.vcpus })],
            [t("offers.memory"), memoryText(flavor.memoryMiB)],
            [t("offers.disk"), memoryText(flavor.diskGiB * 1024)],
            [t("offers.freeNow"), <FreeNow key="free" offer={offer} />],
          ]}
        />
      </Stack>
      <Stack gap="sm">
        <Price price={price} />
        <Rent offer={offer} />
      </Stack>
    </article>
  );
}

function OfferBadges({ offer }: { readonly offer: Offer }): ReactNode {
  const { t } = useText();
  const { flavor, isolation, execution } = offer;
  return (
    <Row gap="xs">
      {isolation === "none" ? null : <StateBadge of="isolation" state={isolation} />}
      {flavor.nvlink ? <Badge tone="info">NVLink</Badge> : null}
      {flavor.serviceClass === "core" ? <Badge tone="good">{t("offers.core")}</Badge> : null}
      {execution === "simulated" || execution === "emulated" ? (
        <StateBadge of="execution" state={execution} />
      ) : null}
    </Row>
  );
}

function FreeNow({ offer: { freeNow: count, reason } }: { readonly offer: Offer }): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  if (reason !== null) return <Text tone="attention">{told(reason.message)}</Text>;
  if (count === 0) return <Text tone="attention">{t("offers.noneFree")}</Text>;
  return count >= plenty ? t("offers.plenty", { count: plenty }) : count;
}

function Price({ price }: { readonly price: Offer["price"] }): ReactNode {
  const { t } = useText();
  if (price.status === "on_request") {
    return <strong className="offer-price">{t("common.onRequest")}</strong>;
  }
  return (
    <div>
      <div>
        <span className="offer-price">
          <Money amount={price.hourly} />
        </span>{" "}
        <Muted>{t("common.perHour")}</Muted>
      </div>
      <Muted>
        <Money amount={price.daily} /> {t("common.perDay")} · <Money amount={price.monthly} />{" "}
        {t("common.perMonth")}
      </Muted>
    </div>
  );
}

function Rent({ offer }: { readonly offer: Offer }): ReactNode {
  const { t } = useText();
  const may = useMay();
  const label = t("offers.rent", { name: offer.flavor.name });
  const refusal = !may("compute.use")
    ? t("instances.whyNot.permission")
    : offer.price.status === "on_request"
      ? t("offers.noPrice")
      : undefined;
  return refusal === undefined ? (
    <LinkButton
      to="/instances/new"
      search={{ flavor: offer.flavor.name }}
      kind={offer.freeNow > 0 ? "primary" : "plain"}
      fullWidth
    >
      {label}
    </LinkButton>
  ) : (
    <Button fullWidth disabledReason={refusal}>
      {label}
    </Button>
  );
}
