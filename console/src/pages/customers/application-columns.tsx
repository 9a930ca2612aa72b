/** What is shown of an application for compute, and rating it. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useMay } from "#console/api/session.ts";
import type { Column } from "#console/components/data-table.tsx";
import { Money } from "#console/components/money.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Clipped } from "#console/pages/billing/clipped.tsx";
import { Button } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Row } from "#console/ui/layout.tsx";

import { TierBadge } from "./badges.tsx";
import { RateDialog } from "./rate-dialog.tsx";

export type Application = ItemOf<"listAllApplications">;

const looks = {
  submitted: ["attention", "wait"],
  rated: ["good", "check"],
  withdrawn: ["quiet", "minus"],
} as const;

export function useApplicationColumns(): readonly Column<Application>[] {
  const { t } = useText();
  return [
    {
      key: "company",
      head: t("selling.company"),
      isTitle: true,
      cell: ({ company }) => <Clipped text={company} />,
    },
    {
      key: "state",
      head: t("common.state"),
      cell: ({ state }) => (
        <Badge tone={looks[state][0]} icon={looks[state][1]}>
          {t(`selling.applicationState.${state}`)}
        </Badge>
      ),
    },
    {
      key: "scale",
      head: t("selling.people"),
      cell: ({ scale }) => (scale === "individual" ? t("selling.individual") : scale),
    },
    {
      key: "budget",
      head: t("selling.budget"),
      align: "end",
      cell: ({ monthlyBudget }) => <Money amount={monthlyBudget} />,
    },
    {
      key: "tier",
      head: t("selling.rating"),
      cell: ({ suggestedTier, initialRating }) =>
        initialRating === null ? (
          <Row gap="xs" wrap="nowrap">
            <span className="nowrap">{t("selling.suggested")}</span>
            <TierBadge tier={suggestedTier} />
          </Row>
        ) : (
          <TierBadge tier={initialRating} />
        ),
    },
    {
      key: "sent",
      head: t("selling.sent"),
      cell: ({ createdAt }) => <When at={createdAt} />,
    },
    {
      key: "do",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (application) => <LookButton application={application} />,
    },
  ];
}

function LookButton({ application }: { readonly application: Application }): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("platform.manage");
  const [isOpen, setOpen] = useState(false);
  const isNew = application.state === "submitted" && mayManage;
  return (
    <>
      <Button size="xs" kind={isNew ? "primary" : "plain"} onClick={() => setOpen(true)}>
        {t(isNew ? "selling.rate" : "selling.look")}
      </Button>
      {isOpen ? <RateDialog application={application} onClose={() => setOpen(false)} /> : null}
    </>
  );
}
