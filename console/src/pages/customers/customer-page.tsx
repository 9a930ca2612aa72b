/**
 * One customer, as the operator sees him. What is inside the tabs is read and changed for him
 * (TenantContext), in his zone; whoever wants to go about as him acts for him, and is told so.
 */
import { useState, type ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { useMay, useSession } from "#console/api/session.ts";
import { TenantContext } from "#console/api/tenant.ts";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import {
  anyText,
  oneOf,
  usePathParam,
  useSearchParams,
} from "#console/components/search-params.ts";
import { StateBadge } from "#console/components/state-badge.tsx";
import { useText } from "#console/i18n/index.ts";
import { useActFor } from "#console/shell/act-for.ts";
import { Button } from "#console/ui/button.tsx";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Menu } from "#console/ui/overlay.tsx";
import { Tabs } from "#console/ui/tabs.tsx";

import { AgreementsTab } from "./agreements-tab.tsx";
import { LimitsTab } from "./limits-tab.tsx";
import { MoneyTab } from "./money-tab.tsx";
import { OverviewTab } from "./overview-tab.tsx";
import { PricesTab } from "./prices-tab.tsx";
import { ReviewTab } from "./review-tab.tsx";
import { StateDialog } from "./state-dialog.tsx";
import type { Tenant } from "./tenant.ts";
import { TierTab } from "./tier-tab.tsx";
import { UsersTab } from "./users-tab.tsx";
import { WorkTab } from "./work-tab.tsx";

const tabs = [
  "overview",
  "tier",
  "limits",
  "users",
  "money",
  "prices",
  "agreements",
  "review",
  "work",
] as const;

export function CustomerPage(): ReactNode {
  const { t } = useText();
  const tenantId = usePathParam("tenantId");
  const tenant = useApi("getTenant", { params: { tenantId } });
  const parent = { to: "/operate/customers", label: t("customers.title") };
  if (tenant.data === undefined) {
    return (
      <>
        <PageHead title={t("customers.one")} parent={parent} />
        {tenant.error === null ? (
          <Skeleton lines={6} label={t("common.loading")} />
        ) : (
          <ProblemBox error={tenant.error} onRetry={() => void tenant.refetch()} />
        )}
      </>
    );
  }
  const { id, displayName, timeZone } = tenant.data;
  return (
    <TenantContext value={{ id, name: displayName, timeZone }}>
      <Head tenant={tenant.data} parent={parent} />
      <Parts tenant={tenant.data} />
    </TenantContext>
  );
}

function Head({
  tenant,
  parent,
}: {
  readonly tenant: Tenant;
  readonly parent: { readonly to: string; readonly label: string };
}): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("tenant.manage");
  const { tenant: own } = useSession();
  const [isAsking, setAsking] = useState(false);
  const act = useActFor();
  const { id, name, displayName, timeZone, state } = tenant;
  const isOwn = id === own.id;
  const go = (to: string): void => act({ id, name: displayName, timeZone }, { to });
  const notNow = isOwn ? t("customers.isOwn") : undefined;
  return (
    <>
      <PageHead
        title={displayName}
        parent={parent}
        badge={<StateBadge of="tenant" state={state} />}
        lead={name === displayName ? undefined : name}
        actions={
          <>
            {isOwn ? (
              <Button icon="user" disabledReason={notNow}>
                {t("customers.actFor")}
              </Button>
            ) : (
              <Menu
                trigger={<Button icon="user">{t("customers.actFor")}</Button>}
                entries={[
                  { kind: "label", label: t("customers.actForText") },
                  ...(
                    [
                      ["/", "home.title", "home"],
                      ["/instances", "instances.title", "server"],
                      ["/jobs", "jobs.title", "job"],
                      ["/billing", "billing.title", "money"],
                      ["/team", "account.team.title", "team"],
                    ] as const
                  ).map(([to, title, icon]) => ({
                    kind: "action" as const,
                    icon,
                    label: t(title),
                    run: () => go(to),
                  })),
                ]}
              />
            )}
            <Button
              kind={state === "active" ? "plain" : "primary"}
              icon={state === "active" ? "pause" : "play"}
              onClick={() => setAsking(true)}
              disabledReason={mayManage ? notNow : t("customers.operatorOnly")}
            >
              {t(state === "active" ? "customers.suspend" : "customers.activate")}
            </Button>
          </>
        }
      />
      {isAsking ? <StateDialog tenant={tenant} onClose={() => setAsking(false)} /> : null}
    </>
  );
}

function Parts({ tenant }: { readonly tenant: Tenant }): ReactNode {
  const { t } = useText();
  const [{ tab = "overview" }, setSearch] = useSearchParams({
    tab: oneOf(tabs),
    // Of one tab only: it does not go along to the next.
    period: anyText(7),
  });
  const contents = {
    overview: () => <OverviewTab tenant={tenant} />,
    tier: () => <TierTab />,
    limits: () => <LimitsTab />,
    users: () => <UsersTab />,
    money: () => <MoneyTab />,
    prices: () => <PricesTab />,
    agreements: () => <AgreementsTab />,
    review: () => <ReviewTab />,
    work: () => <WorkTab tenant={tenant} />,
  } as const;
  return (
    <Tabs
      label={tenant.displayName}
      value={tab}
      onChange={(next) =>
        setSearch({ tab: next === "overview" ? undefined : next, period: undefined }, "step")
      }
      tabs={tabs.map((value) => ({
        value,
        label: t(`customers.tab.${value}`),
        content: contents[value],
      }))}
    />
  );
}
