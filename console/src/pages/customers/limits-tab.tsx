/** What the customer may hold and use: quota, which refuses, and limits, beyond which work waits. */
import { useState, type ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { Gauge } from "#console/components/gauge.tsx";
import { useText } from "#console/i18n/index.ts";
import { limitText } from "#console/pages/account/limit-text.ts";
import { Button } from "#console/ui/button.tsx";
import { Card, Facts, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import { Answered } from "./answered.tsx";
import { LimitDialog } from "./limit-dialog.tsx";
import { QuotaDialog } from "./quota-dialog.tsx";
import { quotaRows } from "./quota-rows.ts";

export function LimitsTab(): ReactNode {
  return (
    <Stack>
      <QuotaCard />
      <LimitsCard />
    </Stack>
  );
}

function QuotaCard(): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("tenant.manage");
  const quota = useApi("getQuota");
  const [isOpen, setOpen] = useState(false);
  return (
    <Card
      title={t("customers.quota.title")}
      action={
        <Button
          size="xs"
          icon="edit"
          onClick={() => setOpen(true)}
          disabledReason={
            !mayManage
              ? t("customers.operatorOnly")
              : quota.data === undefined
                ? t("common.loading")
                : undefined
          }
        >
          {t("customers.quota.change")}
        </Button>
      }
    >
      <Stack gap="sm">
        <Muted>{t("customers.quota.lead")}</Muted>
        <Answered of={quota} lines={8}>
          {({ limits, used }) => (
            <Facts
              rows={quotaRows(limits, used).map(({ of, limit, used: held }) => {
                const name =
                  typeof of === "string" ? t(`customers.quota.of.${of}`) : `GPU ${of.gpu}`;
                return [
                  name,
                  <Gauge
                    key={name}
                    share={limit === 0 ? (held === 0 ? 0 : 1) : held / limit}
                    label={name}
                    text={t("customers.quota.used", { used: held, limit })}
                  />,
                ];
              })}
            />
          )}
        </Answered>
      </Stack>
      {isOpen && quota.data !== undefined ? (
        <QuotaDialog limits={quota.data.limits} onClose={() => setOpen(false)} />
      ) : null}
    </Card>
  );
}

function LimitsCard(): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("platform.manage");
  const limits = useApi("listLimits");
  const [isOpen, setOpen] = useState(false);
  return (
    <Card
      title={t("customers.limits.title")}
      action={
        <Button
          size="xs"
          icon="edit"
          onClick={() => setOpen(true)}
          disabledReason={mayManage ? undefined : t("customers.operatorOnly")}
        >
          {t("customers.limits.change")}
        </Button>
      }
    >
      <Stack gap="sm">
        <Muted>{t("customers.limits.lead")}</Muted>
        <Answered of={limits}>
          {({ limits: all, shares }) => (
            <Stack gap="sm">
              {all.some(({ projectId }) => projectId === null) ? (
                <ul className="plain-list">
                  {all
                    .filter(({ projectId }) => projectId === null)
                    .map((limit) => (
                      <li key={limit.gpuModel ?? ""} className="line">
                        {limitText(limit, t)}
                      </li>
                    ))}
                </ul>
              ) : (
                <span>{t("customers.limits.none")}</span>
              )}
              {shares.map((share) => (
                <Muted key={share.gpuModel}>
                  {share.gpuModel === "*"
                    ? t("customers.limits.shareOther", { percent: share.percent })
                    : t("customers.limits.share", {
                        model: share.gpuModel,
                        percent: share.percent,
                      })}
                </Muted>
              ))}
            </Stack>
          )}
        </Answered>
      </Stack>
      {isOpen ? <LimitDialog onClose={() => setOpen(false)} /> : null}
    </Card>
  );
}
