/** An event of the metering log, its proof, and what this browser finds when it checks it. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { bytes, call } from "#console/api/client.ts";
import { CodeBlock, CopyLine } from "#console/components/copy.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { useText } from "#console/i18n/index.ts";
import { Notice, Skeleton } from "#console/ui/feedback.tsx";
import { Facts, Stack } from "#console/ui/layout.tsx";
import type { AnswerOf, ItemOf } from "#client/types.ts";

type Logged = ItemOf<"listUsageEvents">;

const pageSize = 200;
const pagesMax = 20;

interface Proved {
  readonly proof: AnswerOf<"getUsageEventProof">;
  readonly event: Logged | undefined;
  readonly finding: "proved" | "not_signed" | "other_leaf" | "not_in_log" | "unchecked";
}

export function EventProof({
  leafIndex,
  date,
}: {
  readonly leafIndex: number;
  readonly date: string;
}): ReactNode {
  const { t } = useText();
  const found = useQuery<Proved>({
    queryKey: ["getUsageEventProof", leafIndex, date, "checked"],
    queryFn: ({ signal }) => prove(leafIndex, date, signal),
    // A proof does not change; a newer checkpoint only makes another one.
    staleTime: Infinity,
  });
  if (found.error !== null) {
    return <ProblemBox error={found.error} onRetry={() => void found.refetch()} />;
  }
  if (found.data === undefined) return <Skeleton label={t("common.loading")} />;
  const { proof, event, finding } = found.data;
  return (
    <Stack gap="sm">
      <Notice
        tone={finding === "proved" ? "good" : finding === "unchecked" ? "attention" : "bad"}
        title={t(`usage.finding.${finding}`)}
      >
        {t("usage.findingText", { index: proof.leafIndex, size: proof.size })}
      </Notice>
      <Facts
        rows={[
          [t("usage.leaf"), proof.leafIndex],
          [t("usage.leafHash"), <CopyLine key="hash" text={proof.leafHash} />],
          [t("usage.treeSize"), proof.size],
        ]}
      />
      {event === undefined ? null : (
        <CodeBlock wraps text={event.event} label={t("usage.eventText")} />
      )}
      <details>
        <summary>{t("usage.proofText", { count: proof.hashes.length })}</summary>
        <CodeBlock wraps text={[...proof.hashes, "", proof.checkpoint].join("\n")} />
      </details>
      <ShowAsCli
        operation="getUsageEventProof"
        request={{ params: { leafIndex: String(leafIndex) } }}
        command={`millrace log proof ${leafIndex}`}
      />
    </Stack>
  );
}

async function prove(leafIndex: number, date: string, signal: AbortSignal): Promise<Proved> {
  const [proof, event, keyText] = await Promise.all([
    call("getUsageEventProof", { params: { leafIndex: String(leafIndex) } }, { signal }),
    eventAt(leafIndex, date, signal),
    bytes("getLogKey", {}, { signal }).then((response) => response.text()),
  ]);
  // Only whoever looks at a proof loads what checks one.
  const { checkProof } = await import("./check-proof.ts");
  const finding = await checkProof({ proof, event, keyText }, globalThis.crypto.subtle);
  return { proof, event, finding };
}

/** The events of a day come in pages; it is one of them. */
async function eventAt(
  leafIndex: number,
  date: string,
  signal: AbortSignal,
): Promise<Logged | undefined> {
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const query = {
      from: date,
      through: date,
      limit: pageSize,
      ...(cursor === undefined ? {} : { cursor }),
    };
    // oxlint-disable-next-line no-await-in-loop -- one page after the other
    const { items, next } = await call("listUsageEvents", { query }, { signal });
    const found = items.find((each) => each.leafIndex === leafIndex);
    if (found !== undefined || next === undefined) return found;
    cursor = next;
  }
  return undefined;
}
