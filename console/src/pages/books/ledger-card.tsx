/** Whether the whole book balances. Reads every posting: when it is asked for. */
import { useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { Money } from "#console/components/money.tsx";
import { told, useText } from "#console/i18n/index.ts";
import { Muted } from "#console/ui/text.tsx";

import { CheckCard, Problems } from "./check-card.tsx";

export function LedgerCard(): ReactNode {
  const { t } = useText();
  const [isAsked, setAsked] = useState(false);
  const check = useApi("checkLedger", {}, { enabled: isAsked });
  const { data } = check;
  const found = data === undefined ? undefined : [...data.problems, ...data.heldForNothing];
  return (
    <CheckCard
      name="ledger"
      problems={found?.length}
      at={data?.checkedAt}
      isBusy={check.isFetching}
      error={check.error}
      onRun={() => {
        if (isAsked) void check.refetch();
        else setAsked(true);
      }}
      call={{ operation: "checkLedger", command: "millrace ledger check" }}
    >
      {data === undefined ? null : <Sums check={data} />}
      <Problems
        problems={(found ?? []).map(({ tenant, problem }) =>
          t("books.check.ledger.finding", { tenant, problem: told(problem) }),
        )}
      />
    </CheckCard>
  );
}

function Sums({ check }: { readonly check: AnswerOf<"checkLedger"> }): ReactNode {
  const { t } = useText();
  const { tenants, journals, postings, accounts, sum } = check;
  return (
    <>
      <div className="table-wrap">
        <table className="table" aria-label={t("books.check.ledger.title")}>
          <thead>
            <tr>
              <th scope="col">{t("books.check.ledger.account")}</th>
              <th scope="col" className="end">
                {t("books.check.ledger.balance")}
              </th>
            </tr>
          </thead>
          <tbody>
            {accounts.map(({ account, balance }) => (
              <tr key={account}>
                <th scope="row" style={{ fontWeight: 400 }}>
                  {t(`statements.account.${account}`)}
                </th>
                <td className="end">
                  <Money amount={balance} />
                </td>
              </tr>
            ))}
            <tr>
              <th scope="row">{t("books.check.ledger.sum")}</th>
              <td className="end">
                <strong>
                  <Money amount={sum} />
                </strong>
              </td>
            </tr>
          </tbody>
        </table>
      </div>
      <Muted size="xs">{t("books.check.ledger.counted", { tenants, journals, postings })}</Muted>
    </>
  );
}
