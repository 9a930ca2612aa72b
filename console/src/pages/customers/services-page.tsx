/** Services that customers asked for or ordered: offers to make, engagements to finish. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { usePages } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { Money } from "#console/components/money.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Clipped } from "#console/pages/billing/clipped.tsx";
import { Button } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Segments } from "#console/ui/fields.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Muted } from "#console/ui/text.tsx";

import { FinishServiceDialog, OfferDialog } from "./service-dialogs.tsx";

export type Ordered = ItemOf<"listAllServices">;

const looks = {
  asked: ["attention", "wait"],
  offered: ["info", "clock"],
  active: ["good", "check"],
  ended: ["quiet", "minus"],
} as const;

export function ServicesPage(): ReactNode {
  const { t } = useText();
  const [{ state = "to_do" }, setSearch] = useSearchParams({ state: oneOf(["to_do", "all"]) });
  const pages = usePages("listAllServices", { query: { limit: 50, state } });
  return (
    <>
      <PageHead
        title={t("selling.services")}
        lead={t("selling.servicesLead")}
        actions={
          <Segments
            label={t("common.state")}
            value={state}
            onChange={(next) => setSearch({ state: next === "to_do" ? undefined : next })}
            choices={[
              { value: "to_do", label: t("selling.toDo") },
              { value: "all", label: t("common.all") },
            ]}
          />
        }
      />
      <DataTable
        label={t("selling.services")}
        pages={pages}
        columns={useColumns()}
        keyOf={({ id }) => id}
        empty={
          <EmptyState
            icon="check"
            title={t(state === "to_do" ? "selling.nothingToDoTitle" : "selling.noServicesTitle")}
            text={t("selling.noServicesText")}
            command="millrace service to-do"
          />
        }
      />
    </>
  );
}

function useColumns(): readonly Column<Ordered>[] {
  const { t } = useText();
  return [
    {
      key: "what",
      head: t("selling.service"),
      isTitle: true,
      cell: ({ kind, code, description }) => (
        <Stack gap={0}>
          {code ?? t(`selling.serviceKind.${kind}`)}
          <Muted size="xs">
            <Clipped text={description} />
          </Muted>
        </Stack>
      ),
    },
    {
      key: "customer",
      head: t("customers.one"),
      cell: ({ tenantId, tenant }) => (
        <TextLink to="/operate/customers/$tenantId" params={{ tenantId }}>
          <bdi>{tenant}</bdi>
        </TextLink>
      ),
    },
    {
      key: "state",
      head: t("common.state"),
      cell: ({ state, reason, optimizationsLeft }) => (
        <Stack gap={0}>
          <div>
            <Badge tone={looks[state][0]} icon={looks[state][1]} title={reason?.message}>
              {t(`selling.serviceState.${state}`)}
            </Badge>
          </div>
          {optimizationsLeft === 0 ? null : (
            <Muted size="xs">{t("selling.left", { count: optimizationsLeft })}</Muted>
          )}
        </Stack>
      ),
    },
    {
      key: "amount",
      head: t("customers.amount"),
      align: "end",
      cell: ({ amount }) => <Money amount={amount} />,
    },
    {
      key: "until",
      head: t("selling.until"),
      cell: ({ offerUntil, paidUntil }) => <When how="day" at={paidUntil ?? offerUntil} />,
    },
    {
      key: "asked",
      head: t("selling.ordered"),
      cell: ({ askedAt }) => <When at={askedAt} />,
    },
    {
      key: "do",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (service) => <Act service={service} />,
    },
  ];
}

function Act({ service }: { readonly service: Ordered }): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("platform.manage");
  const [isOpen, setOpen] = useState(false);
  const close = (): void => setOpen(false);
  const mayNot = mayManage ? undefined : t("customers.operatorOnly");
  const open = (): void => setOpen(true);
  if (service.state === "asked") {
    return (
      <>
        <Button size="xs" kind="primary" onClick={open} disabledReason={mayNot}>
          {t("selling.offer")}
        </Button>
        {isOpen ? <OfferDialog service={service} onClose={close} /> : null}
      </>
    );
  }
  if (service.state !== "active" || service.optimizationsLeft === 0) return null;
  return (
    <>
      <Button size="xs" kind="primary" onClick={open} disabledReason={mayNot}>
        {t("selling.finish")}
      </Button>
      {isOpen ? <FinishServiceDialog service={service} onClose={close} /> : null}
    </>
  );
}
