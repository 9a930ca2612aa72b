/** Machines by the month or year: their terms, and what can be done to them. */
import { useState, type ReactNode } from "react";

import { useAction, usePages } from "#console/api/queries.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { Money } from "#console/components/money.tsx";
import { When } from "#console/components/when.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { IconButton } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Menu } from "#console/ui/overlay.tsx";
import { Heading, Muted, Text } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

import { CancelDialog } from "./cancel-dialog.tsx";
import { Expansions } from "./expansions.tsx";
import {
  subscriptionActions,
  useRefusals,
  type Subscription,
  type SubscriptionAction,
} from "./subscription-actions.ts";
import { ExpandDialog, RenewDialog, UpgradeDialog } from "./subscription-dialogs.tsx";

const looks = {
  ordered: ["info", "refresh"],
  active: ["good", "check"],
  lapsed: ["bad", "alert"],
  ended: ["quiet", "minus"],
} as const;

interface Asked {
  readonly action: Exclude<SubscriptionAction, "autoRenew">;
  readonly id: string;
}

export function SubscriptionsTab(): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  const pages = usePages("listSubscriptions", { query: { limit: 50 } }, { everyMs: 30_000 });
  const [asked, setAsked] = useState<Asked>();
  const update = useAction("updateSubscription", {
    onDone: ({ autoRenew, name }) =>
      toast({
        tone: "good",
        title: t(autoRenew ? "orders.subscription.renewsNow" : "orders.subscription.endsThen", {
          name,
        }),
      }),
  });
  const chosen = pages.items.find((each) => each.id === asked?.id);
  const close = (): void => setAsked(undefined);
  const columns: readonly Column<Subscription>[] = [
    {
      key: "name",
      head: t("common.name"),
      isTitle: true,
      cell: ({ name, leaseId }) => (
        <TextLink to="/instances/$leaseId" params={{ leaseId }}>
          {name}
        </TextLink>
      ),
    },
    {
      key: "state",
      head: t("common.state"),
      cell: ({ state, reason }) => (
        <Badge
          tone={looks[state][0]}
          icon={looks[state][1]}
          title={reason === null ? undefined : told(reason.message)}
        >
          {t(`orders.subscription.state.${state}`)}
        </Badge>
      ),
    },
    { key: "sku", head: t("orders.subscription.size"), cell: ({ sku }) => sku },
    {
      key: "term",
      head: t("orders.subscription.term"),
      cell: ({ term, autoRenew }) => (
        <>
          {t(`orders.term.${term}`)}{" "}
          <Muted>{t(autoRenew ? "orders.subscription.renews" : "orders.subscription.ends")}</Muted>
        </>
      ),
    },
    {
      key: "amount",
      head: t("orders.price"),
      align: "end",
      cell: ({ amount }) => <Money amount={amount} />,
    },
    {
      key: "until",
      head: t("orders.subscription.paidUntil"),
      cell: ({ paidUntil, keptUntil, state }) => (
        <>
          <When at={paidUntil} how="day" />
          {state === "lapsed" && keptUntil !== null ? (
            <Muted>
              {" "}
              {t("orders.subscription.keptUntil")} <When at={keptUntil} how="day" />
            </Muted>
          ) : null}
        </>
      ),
    },
    {
      key: "do",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (subscription) => (
        <SubscriptionMenu
          subscription={subscription}
          onAsk={(action) =>
            action === "autoRenew"
              ? update.mutate({
                  params: { subscriptionId: subscription.id },
                  body: { autoRenew: !subscription.autoRenew },
                })
              : setAsked({ action, id: subscription.id })
          }
        />
      ),
    },
  ];
  const dialogs = {
    renew: RenewDialog,
    upgrade: UpgradeDialog,
    expand: ExpandDialog,
    cancel: CancelDialog,
  };
  const Shown = asked === undefined ? undefined : dialogs[asked.action];
  return (
    <Stack>
      <Text>{t("orders.subscription.lead")}</Text>
      <DataTable
        label={t("billing.tab.subscriptions")}
        pages={pages}
        columns={columns}
        keyOf={(each) => each.id}
        empty={
          <EmptyState
            icon="clock"
            title={t("orders.subscription.emptyTitle")}
            text={t("orders.subscription.emptyText")}
            action={{ to: "/instances/new", label: t("orders.subscription.order") }}
            command="millrace subscription order train --flavor a100.1 --term monthly"
          />
        }
      />
      {pages.items.length === 0 ? null : (
        <>
          <Heading level={2}>{t("orders.expansion.title")}</Heading>
          <Expansions nameOf={(id) => pages.items.find((each) => each.id === id)?.name ?? id} />
        </>
      )}
      {Shown === undefined || chosen === undefined ? null : (
        <Shown subscription={chosen} onClose={close} />
      )}
    </Stack>
  );
}

function SubscriptionMenu({
  subscription,
  onAsk,
}: {
  readonly subscription: Subscription;
  readonly onAsk: (action: SubscriptionAction) => void;
}): ReactNode {
  const { t } = useText();
  const refusals = useRefusals();
  const icons = {
    renew: "refresh",
    upgrade: "up",
    expand: "plus",
    autoRenew: "clock",
    cancel: "trash",
  } as const;
  return (
    <Menu
      trigger={
        <IconButton
          icon="more"
          label={t("orders.subscription.actionsOf", { name: subscription.name })}
        />
      }
      entries={subscriptionActions.map((action) => ({
        kind: "action",
        icon: icons[action],
        label:
          action === "autoRenew"
            ? t(
                subscription.autoRenew
                  ? "orders.subscription.autoRenewOff"
                  : "orders.subscription.autoRenewOn",
              )
            : t(`orders.subscription.do.${action}`),
        isDangerous: action === "cancel",
        disabledReason: refusals.of(action, subscription),
        run: () => onAsk(action),
      }))}
    />
  );
}
