/** What concerns every page: nobody answers, one acts for another, the balance runs out. */
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { actFor, acting } from "#console/api/acting.ts";
import { useApi } from "#console/api/queries.ts";
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
  const navigate = useNavigate();
  if (tenant === undefined) return null;
  return (
    <div className="banner attention acting" role="note">
      <Icon name="user" />
      <bdi>{t("shell.actingFor", { tenant: tenant.name })}</bdi>
      <Button
        size="xs"
        onClick={() => {
          const { id: tenantId } = tenant;
          actFor(undefined);
          // What is shown may be theirs alone.
          void navigate({
            to: "/operate/customers/$tenantId",
            params: { tenantId },
            search: { project: undefined },
          });
        }}
      >
        {t("shell.stopActing")}
      </Button>
    </div>
  );
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
