/** The presets: flavors with GPUs, then those without, with what is left of the quota for the chosen one. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { ChoiceCards } from "#console/components/choice-cards.tsx";
import { gpuText, memoryText } from "#console/components/flavor.ts";
import { Money } from "#console/components/money.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText, type Translate } from "#console/i18n/index.ts";
import { Card, Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Heading, Muted } from "#console/ui/text.tsx";

import { quotaLeft } from "./rent-form.ts";

type Offer = AnswerOf<"listOffers">["items"][number];

export function FlavorChoice({
  offers,
  value,
  onChange,
}: {
  readonly offers: readonly Offer[];
  readonly value: string;
  readonly onChange: (flavor: string) => void;
}): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  const groups = [
    { key: "gpu", items: offers.filter(({ flavor }) => flavor.gpu !== null) },
    { key: "cpu", items: offers.filter(({ flavor }) => flavor.gpu === null) },
  ] as const;
  const chosen = offers.find(({ flavor }) => flavor.name === value);
  return (
    <Card
      title={t("rent.flavor")}
      action={<TextLink to="/offers">{t("rent.compareOffers")}</TextLink>}
    >
      <Stack gap="sm">
        {groups.map(({ key, items }) =>
          items.length === 0 ? null : (
            <Stack key={key} gap="xs">
              <Heading level={3}>{t(`offers.kinds.${key}`)}</Heading>
              <ChoiceCards
                label={t(`offers.kinds.${key}`)}
                value={value}
                onChange={onChange}
                choices={items.map((offer) => ({
                  value: offer.flavor.name,
                  title: offer.flavor.name,
                  disabledReason:
                    offer.price.status === "on_request" ? t("offers.noPrice") : undefined,
                  children: <Shape offer={offer} />,
                }))}
              />
            </Stack>
          ),
        )}
        {chosen === undefined || chosen.reason === null ? null : (
          <Muted>{told(chosen.reason.message)}</Muted>
        )}
        {chosen === undefined ? null : <Left offer={chosen} />}
      </Stack>
    </Card>
  );
}

function Shape({ offer: { flavor, price, freeNow } }: { readonly offer: Offer }): ReactNode {
  const { t } = useText();
  const { gpu } = flavor;
  return (
    <>
      {gpu === null ? null : <span>{gpuText(gpu)}</span>}
      <span>
        {t("offers.vcpus", { count: flavor.vcpus })} · {memoryText(flavor.memoryMiB)} ·{" "}
        {memoryText(flavor.diskGiB * 1024)}
      </span>
      <span>
        {price.status === "on_request" ? (
          t("common.onRequest")
        ) : (
          <>
            <Money amount={price.hourly} /> <Muted size="xs">{t("common.perHour")}</Muted>
          </>
        )}
        <Muted size="xs"> · {freeText(freeNow, t)}</Muted>
      </span>
    </>
  );
}

/** The server counts no further than it needs to. */
const countMax = 100;

function freeText(count: number, t: Translate): string {
  if (count === 0) return t("offers.noneFree");
  if (count < countMax) return t("rent.free", { count });
  return t("rent.freeMany", { count: countMax });
}

function Left({ offer: { flavor } }: { readonly offer: Offer }): ReactNode {
  const { t } = useText();
  const may = useMay();
  const quota = useApi("getQuota", {}, { enabled: may("tenant.read") });
  if (quota.data === undefined) return null;
  const left = quotaLeft(quota.data, flavor.gpu?.model);
  const parts = [
    t("offers.vcpus", { count: left.vcpus }),
    t("rent.leftMemory", { size: memoryText(left.memoryMiB) }),
    ...(left.gpus === undefined || flavor.gpu === null
      ? []
      : [`${left.gpus} × ${flavor.gpu.model}`]),
  ];
  const isShort =
    flavor.vcpus > left.vcpus ||
    flavor.memoryMiB > left.memoryMiB ||
    (flavor.gpu !== null && flavor.gpu.count > (left.gpus ?? 0));
  return (
    <Muted>
      {t("rent.quotaLeft", { parts: parts.join(" · ") })}{" "}
      {isShort ? <strong>{t("rent.quotaShort")} </strong> : null}
      {isShort ? <TextLink to="/quota">{t("home.moreQuota")}</TextLink> : null}
    </Muted>
  );
}
