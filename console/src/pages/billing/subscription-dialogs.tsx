/** What is done to a subscription, each with its quote: renew, upgrade, expand. */
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { useText } from "#console/i18n/index.ts";
import { NumberField, Select } from "#console/ui/fields.tsx";
import { Grid } from "#console/ui/layout.tsx";
import { toast } from "#console/ui/toast.tsx";

import { OrderDialog } from "./order-dialog.tsx";
import type { Subscription } from "./subscription-actions.ts";

export interface OfSubscription {
  readonly subscription: Subscription;
  readonly onClose: () => void;
}

const terms = ["monthly", "quarterly", "annual"] as const;
const daysMax = 366;
const unitsMax = 1024;

/** Sizes that are sold by the term, with the terms that have a price. */
function useSizes(): readonly {
  readonly flavor: string;
  readonly sku: string;
  readonly terms: readonly string[];
}[] {
  const prices = useApi("getPriceList");
  return (prices.data?.machines ?? []).flatMap((machine) =>
    machine.terms.length === 0
      ? []
      : machine.flavors.map((flavor) => ({
          flavor,
          sku: machine.sku,
          terms: machine.terms.map(({ term }) => term),
        })),
  );
}

export function RenewDialog({ subscription, onClose }: OfSubscription): ReactNode {
  const { t } = useText();
  const [term, setTerm] = useState<(typeof terms)[number]>(subscription.term);
  const sizes = useSizes();
  const [flavor, setFlavor] = useState<string>();
  const renew = useAction("renewSubscription", {
    onDone: done(t("orders.subscription.renewed"), onClose),
  });
  const sold = sizes.find((each) => each.sku === subscription.sku)?.terms ?? terms;
  const params = { subscriptionId: subscription.id };
  const change = { term, ...(flavor === undefined ? {} : { flavor }) };
  return (
    <OrderDialog
      title={t("orders.subscription.renewTitle", { name: subscription.name })}
      ask={{ kind: "renewal", ...params, ...change }}
      confirmLabel={t("orders.payNow")}
      onOrder={({ amount, from }) =>
        renew.mutate({
          params,
          body: {
            ...change,
            expectedAmount: amount,
            ...(from === null ? {} : { expectedFrom: from }),
          },
        })
      }
      cli={({ amount }) => ({
        operation: "renewSubscription",
        request: { params, body: { ...change, expectedAmount: amount } },
      })}
      isBusy={renew.isPending}
      error={renew.error}
      onClose={onClose}
    >
      <Grid columns={2}>
        <Select
          label={t("orders.subscription.term")}
          choices={terms
            .filter((each) => sold.includes(each) || each === subscription.term)
            .map((value) => ({ value, label: t(`orders.term.${value}`) }))}
          value={term}
          onChange={(next) => next !== undefined && setTerm(next)}
        />
        <Select
          label={t("orders.subscription.nextSize")}
          placeholder={t("orders.subscription.sameSize")}
          isClearable
          choices={sizes.map((each) => ({ value: each.flavor, label: each.flavor }))}
          value={flavor}
          onChange={setFlavor}
        />
      </Grid>
    </OrderDialog>
  );
}

export function UpgradeDialog({ subscription, onClose }: OfSubscription): ReactNode {
  const { t } = useText();
  const sizes = useSizes().filter((each) => each.sku !== subscription.sku);
  const [flavor, setFlavor] = useState<string>();
  const upgrade = useAction("upgradeSubscription", {
    onDone: done(t("orders.subscription.upgrading"), onClose),
  });
  const params = { subscriptionId: subscription.id };
  return (
    <OrderDialog
      title={t("orders.subscription.upgradeTitle", { name: subscription.name })}
      ask={flavor === undefined ? undefined : { kind: "upgrade", ...params, flavor }}
      missing={t("orders.subscription.chooseSize")}
      confirmLabel={t("orders.subscription.do.upgrade")}
      onOrder={({ amount }) =>
        upgrade.mutate({ params, body: { flavor: flavor ?? "", expectedAmount: amount } })
      }
      cli={({ amount }) => ({
        operation: "upgradeSubscription",
        request: { params, body: { flavor, expectedAmount: amount } },
      })}
      isBusy={upgrade.isPending}
      error={upgrade.error}
      onClose={onClose}
    >
      <Select
        label={t("orders.subscription.newSize")}
        description={t("orders.subscription.upgradeText")}
        choices={sizes.map((each) => ({ value: each.flavor, label: each.flavor }))}
        value={flavor}
        onChange={setFlavor}
      />
    </OrderDialog>
  );
}

export function ExpandDialog({ subscription, onClose }: OfSubscription): ReactNode {
  const { t } = useText();
  const [gpus, setGpus] = useState<number | undefined>(0);
  const [vcpus, setVcpus] = useState<number | undefined>(0);
  const [memoryGiB, setMemory] = useState<number | undefined>(0);
  const [days, setDays] = useState<number | undefined>(1);
  const order = useAction("orderExpansion", {
    onDone: done(t("orders.expansion.ordered"), onClose),
  });
  const units = { gpus: gpus ?? 0, vcpus: vcpus ?? 0, memoryGiB: memoryGiB ?? 0 };
  const isAsked = units.gpus + units.vcpus + units.memoryGiB > 0 && days !== undefined && days > 0;
  const params = { subscriptionId: subscription.id };
  const body = { ...units, days: days ?? 1 };
  return (
    <OrderDialog
      title={t("orders.expansion.orderTitle", { name: subscription.name })}
      ask={isAsked ? { kind: "expansion", ...params, ...body } : undefined}
      missing={t("orders.expansion.chooseUnits")}
      confirmLabel={t("orders.payNow")}
      onOrder={({ amount }) => order.mutate({ params, body: { ...body, expectedAmount: amount } })}
      cli={({ amount }) => ({
        operation: "orderExpansion",
        request: { params, body: { ...body, expectedAmount: amount } },
      })}
      isBusy={order.isPending}
      error={order.error}
      onClose={onClose}
    >
      <Grid columns={4}>
        <NumberField
          label={t("orders.expansion.gpus")}
          value={gpus}
          min={0}
          max={unitsMax}
          onChange={setGpus}
        />
        <NumberField
          label={t("orders.expansion.vcpus")}
          value={vcpus}
          min={0}
          max={unitsMax}
          onChange={setVcpus}
        />
        <NumberField
          label={t("orders.expansion.memory")}
          value={memoryGiB}
          min={0}
          max={unitsMax}
          onChange={setMemory}
        />
        <NumberField
          label={t("orders.expansion.days")}
          value={days}
          min={1}
          max={daysMax}
          onChange={setDays}
        />
      </Grid>
    </OrderDialog>
  );
}

function done(title: string, onClose: () => void): () => void {
  return () => {
    toast({ tone: "good", title });
    onClose();
  };
}
