/** What most people do next, in the order in which it is needed. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { fenOf } from "#console/components/money.tsx";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { Icon } from "#console/ui/icons.tsx";
import { Card } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";

export function NextSteps(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const keys = useApi("listSshKeys", { query: { limit: 1 } });
  const balance = useApi("getBalance");
  const steps = [
    {
      key: "key",
      isOpen: keys.data?.items.length === 0 && may("key.manage"),
      to: "/ssh-keys",
      label: t("home.nextKey"),
    },
    {
      key: "pay",
      isOpen: balance.data !== undefined && fenOf(balance.data.available) <= 0n,
      to: "/billing",
      label: t("home.nextTopUp"),
    },
    { key: "rent", isOpen: may("compute.use"), to: "/offers", label: t("home.nextRent") },
    { key: "job", isOpen: may("compute.use"), to: "/jobs/new", label: t("home.nextJob") },
    {
      key: "verify",
      isOpen: may("billing.read"),
      to: "/billing/verify",
      label: t("home.nextVerify"),
    },
  ].filter((step) => step.isOpen);
  return (
    <Card title={t("home.next")}>
      <ul className="plain-list">
        {steps.map((step) => (
          <li key={step.key} className="line">
            <TextLink to={step.to}>{step.label}</TextLink>
            <Icon name="right" />
          </li>
        ))}
      </ul>
    </Card>
  );
}
