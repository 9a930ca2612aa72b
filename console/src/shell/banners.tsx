/** What concerns every page: nobody answers, one acts for another, the balance runs out. */
import type { ReactNode } from "react";

import { actFor, acting } from "#console/api/acting.ts";
import { queryClient, useApi } from "#console/api/queries.ts";
import { probeNow, reach } from "#console/api/reach.ts";
import { useStore } from "#console/api/store.ts";
import { moneyText } from "#console/components/money.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Icon } from "#console/ui/icons.tsx";
import { TextLink } from "#console/ui/link.tsx";

import { useMay } from "#console/api/session.ts";

export function Banners(): ReactNode {
  return (
    <>
      <GoneBanner />
      <ActingBanner />
      <StandingBanner />
    </>
  );
}

function GoneBanner(): ReactNode {
  const { t } = useText();
  const isGone = useStore(reach) === "gone";
  return (
    <div role="status">
      {isGone ? (
        <div className="banner bad">
          <Icon name="alert" />
          <span>{t("shell.gone")}</span>
          <Button size="xs" onClick={probeNow}>
            {t("common.retry")}
          </Button>
        </div>
      ) : null}
    </div>
  );
}

function ActingBanner(): ReactNode {
  const { t } = useText();
  const tenant = useStore(acting);
  if (tenant === undefined) return null;
  return (
    <div className="banner attention" role="note">
      <Icon name="user" />
      <span>{t("shell.actingFor", { tenant: tenant.name })}</span>
      <Button size="xs" onClick={stopActing}>
        {t("shell.stopActing")}
      </Button>
    </div>
  );
}

function stopActing(): void {
  actFor(undefined);
  void queryClient.resetQueries();
}

function StandingBanner(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const standing = useApi("getStanding", {}, { enabled: may("billing.read") });
  if (standing.data === undefined || standing.data.stage === "ok") return null;
  const { stage, next, toLeave, toBeWell } = standing.data;
  const isGrave = stage !== "forecast" && stage !== "warning";
  return (
    <div className={isGrave ? "banner bad" : "banner attention"} role="note">
      <Icon name="alert" />
      <strong>{t(`shell.standing.${stage}`)}</strong>
      {next === null ? null : (
        <span>
          {t(`shell.standingNext.${next.stage}`)} <When at={next.at} />.
        </span>
      )}
      <span>
        {t("shell.standingPay", { amount: moneyText(toLeave), well: moneyText(toBeWell) })}
      </span>
      <TextLink to="/billing">{t("shell.topUp")}</TextLink>
    </div>
  );
}
