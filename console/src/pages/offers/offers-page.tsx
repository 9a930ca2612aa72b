/** What can be rented: a card for each flavor, those with GPUs first. Filters and order are in the address. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { EmptyState } from "#console/components/empty-state.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { anyText, oneOf, useSearchParams } from "#console/components/search-params.ts";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Select, Switch } from "#console/ui/fields.tsx";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Grid, Row, Stack } from "#console/ui/layout.tsx";
import { Heading, Muted } from "#console/ui/text.tsx";

import { chosenOffers, modelsOf, offerKinds, offerOrders, type Offer } from "./choose.ts";
import { OfferCard } from "./offer-card.tsx";

/** What is free changes with what others do, of which no event tells. */
const everyMs = 15_000;

export function OffersPage(): ReactNode {
  const { t } = useText();
  const offers = useApi("listOffers", {}, { everyMs });
  return (
    <>
      <PageHead
        title={t("offers.title")}
        lead={t("offers.lead")}
        actions={<ShowAsCli operation="listOffers" request={{}} command="millrace offers" />}
      />
      {offers.data === undefined ? (
        offers.error === null ? (
          <Skeleton lines={8} label={t("common.loading")} />
        ) : (
          <ProblemBox error={offers.error} onRetry={() => void offers.refetch()} />
        )
      ) : offers.data.items.length === 0 ? (
        <EmptyState icon="offer" title={t("offers.emptyTitle")} text={t("offers.emptyText")} />
      ) : (
        <Offers offers={offers.data.items} />
      )}
    </>
  );
}

function Offers({ offers }: { readonly offers: readonly Offer[] }): ReactNode {
  const { t } = useText();
  const [search, setSearch] = useSearchParams({
    kind: oneOf(offerKinds),
    model: anyText(32),
    order: oneOf(offerOrders),
    free: oneOf(["1"]),
  });
  const shown = chosenOffers(offers, search, search.order);
  const groups = [
    { key: "gpu", title: t("offers.kinds.gpu"), items: shown.filter(isGpu) },
    { key: "cpu", title: t("offers.kinds.cpu"), items: shown.filter((offer) => !isGpu(offer)) },
  ].filter(({ items }) => items.length > 0);
  return (
    <Stack>
      <div className="filters">
        <Select
          label={t("offers.kind")}
          placeholder={t("common.all")}
          isClearable
          choices={offerKinds.map((value) => ({ value, label: t(`offers.kinds.${value}`) }))}
          value={search.kind}
          onChange={(kind) => setSearch({ kind })}
        />
        <Select
          label={t("offers.model")}
          placeholder={t("common.all")}
          isClearable
          choices={modelsOf(offers).map((value) => ({ value, label: value }))}
          value={search.model}
          onChange={(model) => setSearch({ model })}
        />
        <Select
          label={t("offers.order")}
          placeholder={t("offers.orderDefault")}
          isClearable
          choices={offerOrders.map((value) => ({ value, label: t(`offers.orders.${value}`) }))}
          value={search.order}
          onChange={(order) => setSearch({ order })}
        />
        <Switch
          label={t("offers.onlyFree")}
          isOn={search.free === "1"}
          onChange={(isOn) => setSearch({ free: isOn ? "1" : undefined })}
        />
      </div>
      {groups.length === 0 ? (
        <div className="card empty">
          <Row>
            <Muted size="md">{t("common.table.nothingFound")}</Muted>
            <Button
              size="xs"
              onClick={() => setSearch({ kind: undefined, model: undefined, free: undefined })}
            >
              {t("common.table.clearFilters")}
            </Button>
          </Row>
        </div>
      ) : null}
      {groups.map(({ key, title, items }) => (
        <section key={key} aria-label={title}>
          <Stack gap="sm">
            <Heading level={2}>{title}</Heading>
            <Grid columns={3}>
              {items.map((offer) => (
                <OfferCard key={offer.flavor.id} offer={offer} />
              ))}
            </Grid>
          </Stack>
        </section>
      ))}
      <Muted size="xs">{t("offers.note")}</Muted>
    </Stack>
  );
}

function isGpu({ flavor }: Offer): boolean {
  return flavor.gpu !== null;
}
