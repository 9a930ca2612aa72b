/** What hosts hold at this moment, beside what is metered. Quick, so it is looked at by itself. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { useText } from "#console/i18n/index.ts";
import { Muted } from "#console/ui/text.tsx";

import { CheckCard, Problems } from "./check-card.tsx";

export function AllocationCard(): ReactNode {
  const { t } = useText();
  const compared = useApi("compareAllocation", {}, { everyMs: 60_000 });
  const { data } = compared;
  return (
    <CheckCard
      name="allocation"
      problems={data?.differences.length}
      at={data?.comparedAt}
      isBusy={compared.isFetching}
      error={compared.error}
      onRun={() => void compared.refetch()}
      call={{ operation: "compareAllocation", command: "millrace usage allocation" }}
    >
      {data === undefined ? null : data.sums.length === 0 ? (
        <Muted>{t("books.check.allocation.nothing")}</Muted>
      ) : (
        <>
          <div className="table-wrap">
            <table className="table" aria-label={t("books.check.allocation.title")}>
              <thead>
                <tr>
                  <th scope="col">{t("books.check.allocation.sku")}</th>
                  {(["allocated", "starting", "metered"] as const).map((name) => (
                    <th key={name} scope="col" className="end">
                      {t(`books.check.allocation.${name}`)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {data.sums.map(({ sku, allocated, starting, metered }) => (
                  <tr key={sku}>
                    <th scope="row" style={{ fontWeight: 400 }}>
                      {sku}
                    </th>
                    <td className="end tabular">{allocated}</td>
                    <td className="end tabular">{starting}</td>
                    <td className="end tabular">{metered}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <Muted size="xs">
            {t("books.check.allocation.machines", { count: data.machines })}
            {data.changing === 0
              ? ""
              : ` · ${t("books.check.allocation.changing", { count: data.changing })}`}
          </Muted>
        </>
      )}
      <Problems
        problems={(data?.differences ?? []).map(({ name, tenant, sku, allocated, metered }) =>
          t("books.check.allocation.difference", { name, tenant, sku, allocated, metered }),
        )}
      />
    </CheckCard>
  );
}
