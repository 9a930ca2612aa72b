/** The checkpoint of the metering log that was signed last. */
import { useEffect, useState, type ReactNode } from "react";
import { parseCheckpointText, type Checkpoint } from "#tlog/checkpoint.ts";
import { hexOf } from "#tlog/keys.ts";
import { parseNote } from "#tlog/note.ts";

import { bytes } from "#console/api/client.ts";
import { isProblem } from "#console/api/problem.ts";
import { CodeBlock, CopyLine } from "#console/components/copy.tsx";
import { useText } from "#console/i18n/index.ts";
import { Badge, Skeleton } from "#console/ui/feedback.tsx";
import { Facts } from "#console/ui/layout.tsx";
import { Code, Muted } from "#console/ui/text.tsx";

import { CheckCard } from "./check-card.tsx";

type Read =
  | { readonly kind: "reading" | "none" }
  | { readonly kind: "failed"; readonly error: Error }
  | { readonly kind: "read"; readonly note: string; readonly checkpoint: Checkpoint | undefined };

export function LogCard(): ReactNode {
  const { t } = useText();
  const [turn, setTurn] = useState(0);
  const [read, setRead] = useState<Read>({ kind: "reading" });
  useEffect(() => {
    const ended = new AbortController();
    void readCheckpoint(ended.signal).then((next) => {
      if (!ended.signal.aborted) setRead(next);
    });
    return () => ended.abort();
  }, [turn]);
  return (
    <CheckCard
      name="log"
      problems={undefined}
      verdict={
        read.kind === "read" && read.checkpoint !== undefined ? (
          <Badge tone="info" icon="shield">
            {t("books.check.log.size")} {read.checkpoint.size}
          </Badge>
        ) : (
          <Badge icon="minus">{t("books.check.notYet")}</Badge>
        )
      }
      isBusy={read.kind === "reading"}
      error={read.kind === "failed" ? read.error : null}
      onRun={() => setTurn(turn + 1)}
      runLabel={t("books.check.again")}
      call={{ operation: "getLogCheckpoint", command: "millrace log checkpoint" }}
    >
      {read.kind === "reading" ? <Skeleton label={t("common.loading")} /> : null}
      {read.kind === "none" ? <Muted>{t("books.check.log.none")}</Muted> : null}
      {read.kind === "read" ? (
        <>
          {read.checkpoint === undefined ? null : (
            <Facts
              rows={[
                [t("books.check.log.origin"), <Code key="origin">{read.checkpoint.origin}</Code>],
                [t("books.check.log.size"), read.checkpoint.size],
                [
                  t("books.check.log.root"),
                  <CopyLine key="root" text={hexOf(read.checkpoint.root)} />,
                ],
              ]}
            />
          )}
          <details>
            <summary>{t("books.check.log.show")}</summary>
            <CodeBlock wraps text={read.note} label={t("books.check.log.show")} />
          </details>
        </>
      ) : null}
    </CheckCard>
  );
}

async function readCheckpoint(signal: AbortSignal): Promise<Read> {
  try {
    const note = await (await bytes("getLogCheckpoint", {}, { signal })).text();
    return { kind: "read", note, checkpoint: parseCheckpointText(parseNote(note)?.text ?? "") };
  } catch (error) {
    if (isProblem(error, "not_found")) return { kind: "none" };
    return { kind: "failed", error: error instanceof Error ? error : new Error(String(error)) };
  }
}
