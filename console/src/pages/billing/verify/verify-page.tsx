/** Is this bill right? The browser itself checks, by the same code as `millrace verify`. */
import { useEffect, useRef, useState, type ReactNode } from "react";

import { bytes } from "#console/api/client.ts";
import { useApi } from "#console/api/queries.ts";
import { DownloadButton } from "#console/components/download.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { monthText, useSearchParams } from "#console/components/search-params.ts";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Notice, Skeleton, Spinner } from "#console/ui/feedback.tsx";
import { Select } from "#console/ui/fields.tsx";
import { Card, Row, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

import { BundleDrop } from "./bundle-drop.tsx";
import type { Answered } from "./messages.ts";
import { runCheck } from "./run-check.ts";
import { TrustFields, type GivenTrust } from "./trust-fields.tsx";
import { sizeOfCheckpoint, trustOf } from "./trust.ts";
import { VerifyResult } from "./verify-result.tsx";

type Progress =
  | { readonly kind: "idle" }
  | { readonly kind: "loading" | "checking"; readonly what: string }
  | { readonly kind: "done"; readonly what: string; readonly answer: Answered }
  | { readonly kind: "failed"; readonly error: unknown };

const monthsMax = 36;

export function VerifyPage(): ReactNode {
  const { t } = useText();
  const [{ month }, setSearch] = useSearchParams({ month: monthText });
  const invoices = useApi("listInvoices", { query: { limit: monthsMax } });
  const months = [
    ...new Set(
      (invoices.data?.items ?? [])
        .filter((each) => each.kind === "monthly")
        .map((each) => each.period),
    ),
  ];
  const chosen = month ?? months[0];
  const [trust, setTrust] = useState<GivenTrust>({ key: "", checkpoint: "" });
  const [progress, setProgress] = useState<Progress>({ kind: "idle" });
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const isBusy = progress.kind === "loading" || progress.kind === "checking";

  const check = async (what: string, load: (signal: AbortSignal) => Promise<Blob | Response>) => {
    running.current?.abort();
    const { signal } = (running.current = new AbortController());
    setProgress({ kind: "loading", what });
    try {
      const content = new Uint8Array(await (await load(signal)).arrayBuffer());
      setProgress({ kind: "checking", what });
      const answer = await runCheck({ bytes: content, trust: trustOf(trust) }, signal);
      if (!signal.aborted) setProgress({ kind: "done", what, answer });
    } catch (error) {
      if (!signal.aborted) setProgress({ kind: "failed", error });
    }
  };
  const kept = sizeOfCheckpoint(trust.checkpoint);
  const query = kept === undefined ? {} : { checkpoint: kept };
  return (
    <>
      <PageHead
        title={t("verify.title")}
        lead={t("verify.lead")}
        parent={{ to: "/billing/statements", label: t("statements.title") }}
      />
      <Stack>
        <Card title={t("verify.choose")}>
          <Stack>
            {invoices.error === null ? null : (
              <ProblemBox error={invoices.error} onRetry={() => void invoices.refetch()} />
            )}
            {invoices.isPending ? <Skeleton lines={2} label={t("common.loading")} /> : null}
            {chosen === undefined ? (
              invoices.isSuccess ? (
                <Muted>{t("verify.noMonths")}</Muted>
              ) : null
            ) : (
              <Row align="flex-end">
                <Select
                  label={t("verify.month")}
                  choices={[...new Set([chosen, ...months])]
                    .toSorted()
                    .toReversed()
                    .map((value) => ({ value, label: value }))}
                  value={chosen}
                  onChange={(value) => setSearch({ month: value })}
                />
                <Button
                  kind="primary"
                  icon="shield"
                  isBusy={isBusy}
                  onClick={() =>
                    void check(chosen, (signal) =>
                      bytes("exportBundle", { params: { month: chosen }, query }, { signal }),
                    )
                  }
                >
                  {t("verify.check")}
                </Button>
                <DownloadButton
                  operation="exportBundle"
                  request={{ params: { month: chosen }, query }}
                  fileName={`millrace-${chosen}.bundle`}
                  label={t("verify.download")}
                  size="sm"
                />
                <ShowAsCli
                  operation="exportBundle"
                  request={{ params: { month: chosen }, query }}
                  command={`millrace bill bundle ${chosen}\nmillrace verify millrace-${chosen}.bundle`}
                />
              </Row>
            )}
            <BundleDrop
              isBusy={isBusy}
              onFile={(file) => void check(file.name, () => Promise.resolve(file))}
            />
            <TrustFields value={trust} onChange={setTrust} />
          </Stack>
        </Card>
        <div aria-live="polite">
          <Shown progress={progress} />
        </div>
        <Card title={t("verify.meaning")}>
          <Stack gap="sm">
            <Text>{t("verify.proves")}</Text>
            <Text isStrong>{t("verify.provesNot")}</Text>
            <ul>
              <li>{t("verify.notSameLog")}</li>
              <li>{t("verify.notKey")}</li>
              <li>{t("verify.notUse")}</li>
              <li>{t("verify.notPrices")}</li>
            </ul>
            <Muted>{t("verify.outside")}</Muted>
          </Stack>
        </Card>
      </Stack>
    </>
  );
}

function Shown({ progress }: { readonly progress: Progress }): ReactNode {
  const { t } = useText();
  switch (progress.kind) {
    case "idle":
      return null;
    case "loading":
    case "checking": {
      const label = t(`verify.${progress.kind}`, { what: progress.what });
      return (
        <Row>
          <Spinner label={label} />
          <Text>{label}</Text>
        </Row>
      );
    }
    case "failed":
      return <ProblemBox error={progress.error} />;
    case "done": {
      const { answer, what } = progress;
      if (answer.kind === "checked") return <VerifyResult what={what} checked={answer.checked} />;
      return (
        <Notice tone="bad" title={t("verify.unable")}>
          {answer.kind === "no_web_crypto" ? t("verify.noWebCrypto") : answer.message}
        </Notice>
      );
    }
  }
  return null;
}
