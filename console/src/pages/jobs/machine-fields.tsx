/** On what it runs: the flavor, and on how many machines at once. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { moneyText } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText, type Translate } from "#console/i18n/index.ts";
import { NumberField, RadioGroup, Select } from "#console/ui/fields.tsx";
import { Card, Stack } from "#console/ui/layout.tsx";

import type { FormPart } from "./form-part.ts";
import { gpuText } from "./job-text.ts";

type Offer = AnswerOf<"listOffers">["items"][number];

export function MachineFields({ form, set, errorAt }: FormPart): ReactNode {
  const { t } = useText();
  const offers = useApi("listOffers");
  return (
    <Card title={t("jobs.machine")}>
      <Stack>
        {offers.error === null ? null : (
          <ProblemBox error={offers.error} onRetry={() => void offers.refetch()} />
        )}
        <Select
          label={t("jobs.flavor")}
          required
          isSearchable
          placeholder={offers.isPending ? t("common.loading") : t("jobs.chooseFlavor")}
          choices={(offers.data?.items ?? []).map((offer) => ({
            value: offer.flavor.name,
            label: offerText(offer, t),
            disabled: offer.price.status !== "priced",
          }))}
          value={form.flavor}
          error={errorAt("flavor")}
          onChange={(flavor) => set({ flavor })}
        />
        <NumberField
          label={t("jobs.members")}
          description={t("jobs.membersHelp")}
          value={form.members}
          min={1}
          max={1024}
          error={errorAt("members")}
          onChange={(members) => set({ members })}
        />
        {(form.members ?? 1) > 1 ? (
          <RadioGroup
            label={t("jobs.membersHow")}
            choices={[
              { value: "pack", label: t("jobs.pack"), description: t("jobs.packHelp") },
              { value: "spread", label: t("jobs.spread"), description: t("jobs.spreadHelp") },
            ]}
            value={form.membersHow}
            onChange={(membersHow) => set({ membersHow })}
          />
        ) : null}
      </Stack>
    </Card>
  );
}

function offerText({ flavor, price, freeNow }: Offer, t: Translate): string {
  const parts = [
    flavor.name,
    gpuText(flavor.gpu) ?? t("jobs.vcpus", { count: flavor.vcpus }),
    price.hourly === null
      ? t("common.onRequest")
      : t("jobs.perHourText", { amount: moneyText(price.hourly) }),
    t("jobs.freeNow", { count: freeNow }),
  ];
  return parts.join(" · ");
}
