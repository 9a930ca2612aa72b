/** One invoice or credit note: its state, its sums, its lines, its document as it was closed, and its files. */
import { useParams } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { CodeBlock, CopyLine } from "#console/components/copy.tsx";
import { Money } from "#console/components/money.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { LineDrawer, type LineOf } from "#console/pages/billing/line-drawer.tsx";
import { LineTable } from "#console/pages/billing/line-table.tsx";
import { LinkButton } from "#console/ui/button.tsx";
import { Notice, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Row, Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Figure } from "#console/ui/text.tsx";

import { ExportButtons } from "./export-buttons.tsx";

type Invoice = AnswerOf<"getInvoice">;

const creditNotesLookedAt = 200;

export function InvoicePage(): ReactNode {
  const { t } = useText();
  const { invoice: number = "" } = useParams({ strict: false });
  const params = { invoice: number };
  const invoice = useApi("getInvoice", { params });
  const parent = {
    to: "/billing/statements",
    search: { tab: "invoices" },
    label: t("statements.tab.invoices"),
  };
  if (invoice.data === undefined) {
    return (
      <>
        <PageHead title={number} parent={parent} />
        {invoice.error === null ? (
          <Skeleton lines={8} label={t("common.loading")} />
        ) : (
          <ProblemBox error={invoice.error} onRetry={() => void invoice.refetch()} />
        )}
      </>
    );
  }
  const { kind, period, state } = invoice.data;
  return (
    <>
      <PageHead
        title={number}
        lead={`${t(kind === "credit_note" ? "statements.creditNote" : "statements.invoice")} · ${period}`}
        parent={parent}
        badge={<StateBadge of="invoice" state={state} />}
        actions={
          kind === "monthly" ? (
            <LinkButton to="/billing/verify" search={{ month: period }} icon="shield">
              {t("verify.check")}
            </LinkButton>
          ) : undefined
        }
      />
      <Stack>
        <VoidNotice invoice={invoice.data} />
        <Card>
          <Stack>
            <Row gap="xl">
              <Figure label={t("verify.total")}>
                <Money amount={invoice.data.gross} />
              </Figure>
              <Figure label={t("statements.net")}>
                <Money amount={invoice.data.net} />
              </Figure>
              <Figure label={t("statements.vatPlain")}>
                <Money amount={invoice.data.vat} />
              </Figure>
              <Figure label={t("statements.outstanding")}>
                <Money amount={invoice.data.outstanding} />
              </Figure>
            </Row>
            <InvoiceFacts invoice={invoice.data} />
            <ExportButtons
              name={number}
              operation="exportInvoice"
              requestFor={(format, language) => ({ params, query: { format, language } })}
            />
          </Stack>
        </Card>
        {kind === "monthly" ? <Lines month={period} /> : null}
        <Card
          title={t("statements.document")}
          action={
            <ShowAsCli
              operation="getInvoice"
              request={{ params }}
              command={`millrace invoice show ${number}`}
            />
          }
        >
          <details>
            <summary>{t("statements.documentShow")}</summary>
            <CodeBlock text={JSON.stringify(invoice.data.document, null, 2)} />
          </details>
        </Card>
      </Stack>
    </>
  );
}

function InvoiceFacts({ invoice }: { readonly invoice: Invoice }): ReactNode {
  const { t } = useText();
  return (
    <Facts
      rows={[
        [
          t("verify.month"),
          <TextLink key="month" to="/billing/statements" search={{ month: invoice.period }}>
            {invoice.period}
          </TextLink>,
        ],
        [t("statements.closed"), <When key="closed" how="both" at={invoice.finalizedAt} />],
        [t("statements.due"), invoice.dueOn ?? "—"],
        [t("statements.paidAt"), <When key="paid" how="both" at={invoice.paidAt} />],
        [
          t("verify.hash"),
          invoice.sha256 === null ? "—" : <CopyLine key="hash" text={invoice.sha256} />,
        ],
      ]}
    />
  );
}

/** A month's statement has what its invoice has; what came later is on a later one. */
function Lines({ month }: { readonly month: string }): ReactNode {
  const { t } = useText();
  const [line, setLine] = useState<LineOf>();
  const statement = useApi("getStatement", { query: { month } });
  if (statement.error !== null) {
    return <ProblemBox error={statement.error} onRetry={() => void statement.refetch()} />;
  }
  if (statement.data === undefined) return <Skeleton lines={6} label={t("common.loading")} />;
  return (
    <>
      <LineTable lines={statement.data.lines} label={t("statements.lines")} onLine={setLine} />
      {line === undefined ? null : <LineDrawer line={line} onClose={() => setLine(undefined)} />}
    </>
  );
}

/** Which one takes it back, or which one it takes back, and why. */
function VoidNotice({ invoice }: { readonly invoice: Invoice }): ReactNode {
  const { t } = useText();
  const isVoid = invoice.state === "void";
  const others = useApi(
    "listInvoices",
    { query: { limit: creditNotesLookedAt } },
    { enabled: isVoid || invoice.voids !== null },
  );
  if (!isVoid && invoice.voids === null) return null;
  const other = others.data?.items.find((each) =>
    isVoid ? each.voids === invoice.id : each.id === invoice.voids,
  );
  return (
    <Notice tone="attention" title={t(isVoid ? "statements.voided" : "statements.takesBack")}>
      {(isVoid ? other?.reason : invoice.reason) ?? ""}{" "}
      {other?.number === null || other?.number === undefined ? null : (
        <TextLink to="/billing/invoices/$invoice" params={{ invoice: other.number }}>
          {other.number}
        </TextLink>
      )}
    </Notice>
  );
}
