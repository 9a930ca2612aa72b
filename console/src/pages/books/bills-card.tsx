/**
 * The closed bills of a month, each made again by the server from its events: one after the other, as
 * each takes its time, and ended when one leaves the page.
 */
import { useEffect, useRef, useState, type ReactNode } from "react";
import type { AnswerOf, ItemOf } from "#client/types.ts";

import { call } from "#console/api/client.ts";
import { useTimeZone } from "#console/api/session.ts";
import { todayIn } from "#console/components/date-range.tsx";
import { monthText, useSearchParams } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { Progress } from "#console/ui/feedback.tsx";
import { DateField } from "#console/ui/fields.tsx";
import { Muted } from "#console/ui/text.tsx";

import { BillsTable } from "./bills-table.tsx";
import { CheckCard } from "./check-card.tsx";

export interface ReplayedBill {
  readonly invoice: ItemOf<"listAllInvoices">;
  readonly replay: AnswerOf<"replayMonth">;
}

interface Run {
  readonly month: string;
  readonly all: number;
  readonly isCut: boolean;
  readonly bills: readonly ReplayedBill[];
  readonly endedAt: string | undefined;
  readonly error: Error | null;
}

const billsMax = 200;
/** A bill of very much use takes long. */
const timeoutMs = 120_000;

export function BillsCard(): ReactNode {
  const { t } = useText();
  const thisMonth = todayIn(useTimeZone(), Date.now()).slice(0, 7);
  const [search, setSearch] = useSearchParams({ month: monthText });
  const month = search.month ?? monthBefore(thisMonth);
  const [run, setRun] = useState<Run>();
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const start = (): void => {
    running.current?.abort();
    const ended = new AbortController();
    running.current = ended;
    void replayAll(month, ended.signal, (next) => {
      if (!ended.signal.aborted) setRun(next);
    });
  };
  const shown = run?.month === month ? run : undefined;
  const isBusy = shown !== undefined && shown.endedAt === undefined;
  const done = shown?.bills.length ?? 0;
  return (
    <CheckCard
      name="bills"
      problems={
        shown === undefined || isBusy || shown.error !== null || shown.all === 0
          ? undefined
          : shown.bills.filter(({ replay }) => !replay.isSame).length
      }
      at={shown?.endedAt}
      isBusy={isBusy}
      error={shown?.error ?? null}
      onRun={start}
      runLabel={t("books.check.bills.run")}
      call={{ operation: "replayMonth", command: `millrace --tenant TENANT bill replay ${month}` }}
    >
      <div className="filters">
        <DateField
          kind="month"
          label={t("books.check.bills.month")}
          value={month}
          max={thisMonth}
          onChange={(value) => setSearch({ month: value })}
        />
      </div>
      {shown === undefined ? null : shown.all === 0 && !isBusy && shown.error === null ? (
        <Muted>{t("books.check.bills.none")}</Muted>
      ) : (
        <>
          {isBusy ? (
            <Progress
              share={shown.all === 0 ? undefined : done / shown.all}
              label={t("books.check.bills.run")}
            />
          ) : null}
          <Muted size="xs">
            {t("books.check.bills.progress", { done, all: shown.all })}
            {shown.isCut ? ` · ${t("books.check.bills.cutAt", { count: billsMax })}` : ""}
          </Muted>
          <BillsTable bills={shown.bills} />
        </>
      )}
    </CheckCard>
  );
}

async function replayAll(
  month: string,
  signal: AbortSignal,
  tell: (run: Run) => void,
): Promise<void> {
  let run: Run = { month, all: 0, isCut: false, bills: [], endedAt: undefined, error: null };
  const say = (change: Partial<Run>): void => {
    run = { ...run, ...change };
    tell(run);
  };
  say({});
  try {
    const query = { month, kind: "monthly", limit: billsMax } as const;
    const { items, next } = await call("listAllInvoices", { query }, { signal });
    say({ all: items.length, isCut: next !== undefined });
    for (const invoice of items) {
      const { tenantId } = invoice;
      const options = { tenantId, signal, timeoutMs };
      // oxlint-disable-next-line no-await-in-loop -- each takes the server's time; one after the other
      const replay = await call("replayMonth", { params: { month } }, options);
      say({ bills: [...run.bills, { invoice, replay }] });
    }
    say({ endedAt: new Date().toISOString() });
  } catch (error) {
    say({
      endedAt: new Date().toISOString(),
      error: error instanceof Error ? error : new Error(String(error)),
    });
  }
}

function monthBefore(month: string): string {
  const [year = 0, at = 1] = month.split("-").map(Number);
  return new Date(Date.UTC(year, at - 2, 1)).toISOString().slice(0, 7);
}
