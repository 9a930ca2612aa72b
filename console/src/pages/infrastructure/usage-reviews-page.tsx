/** Usage that the meter did not take in by itself: somebody looks, and takes it in or rejects it. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useAction, usePages } from "#console/api/queries.ts";
import { CodeBlock } from "#console/components/copy.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { RadioGroup, Segments, TextField } from "#console/ui/fields.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { Code, Muted } from "#console/ui/text.tsx";

type Held = ItemOf<"listUsageReviews">;

const tones = { open: "attention", accepted: "good", rejected: "quiet" } as const;

export function UsageReviewsPage(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const [{ state = "open" }, setSearch] = useSearchParams({ state: oneOf(["open", "all"]) });
  const [asked, setAsked] = useState<Held>();
  const pages = usePages("listUsageReviews", { query: { limit: 100, state } });
  const columns: readonly Column<Held>[] = [
    {
      key: "state",
      head: t("common.state"),
      cell: (held) => (
        <Badge tone={tones[held.state]} icon={held.state === "accepted" ? "check" : "info"}>
          {t(`infrastructure.reviews.${held.state}`)}
        </Badge>
      ),
    },
    {
      key: "why",
      head: t("infrastructure.reviews.why"),
      isTitle: true,
      cell: (held) => (
        <Stack gap={0}>
          <span style={{ overflowWrap: "anywhere" }}>{held.message}</span>
          <Muted size="xs">{held.reason}</Muted>
        </Stack>
      ),
    },
    {
      key: "source",
      head: t("infrastructure.reviews.source"),
      cell: (held) => (
        <span className="clip" title={`${held.source} ${held.eventId}`}>
          {held.source} <Code>{held.eventId}</Code>
        </span>
      ),
    },
    {
      key: "received",
      head: t("infrastructure.reviews.received"),
      cell: (held) => <When at={held.receivedAt} />,
    },
    {
      key: "note",
      head: t("infrastructure.note"),
      cell: (held) =>
        held.closedAt === null ? (
          "—"
        ) : (
          <Stack gap={0}>
            <bdi>{held.note ?? "—"}</bdi>
            <Muted size="xs">{held.closedBy}</Muted>
          </Stack>
        ),
    },
    {
      key: "resolve",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (held) =>
        held.state === "open" ? (
          <Button
            size="xs"
            disabledReason={may("platform.manage") ? undefined : t("infrastructure.readOnly")}
            onClick={() => setAsked(held)}
          >
            {t("infrastructure.reviews.decide")}
          </Button>
        ) : null,
    },
  ];
  return (
    <>
      <PageHead
        title={t("infrastructure.reviews.title")}
        lead={t("infrastructure.reviews.lead")}
        actions={
          <Segments
            label={t("common.state")}
            value={state}
            onChange={(next) => setSearch({ state: next === "open" ? undefined : next })}
            choices={[
              { value: "open", label: t("infrastructure.reviews.open") },
              { value: "all", label: t("common.all") },
            ]}
          />
        }
      />
      <DataTable
        label={t("infrastructure.reviews.title")}
        pages={pages}
        columns={columns}
        keyOf={(held) => held.id}
        empty={
          <EmptyState
            icon="check"
            title={t("infrastructure.reviews.empty")}
            text={t("infrastructure.reviews.emptyText")}
          />
        }
      />
      {asked === undefined ? null : (
        <DecideDialog held={asked} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}

function DecideDialog({
  held,
  onClose,
}: {
  readonly held: Held;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const [action, setAction] = useState<"accept" | "reject">();
  const [note, setNote] = useState("");
  const resolve = useAction("resolveUsageReview", { onDone: onClose });
  const request = {
    params: { reviewId: held.id },
    body: { action: action ?? "accept", note: note.trim() },
  };
  return (
    <FormDialog
      title={t("infrastructure.reviews.decide")}
      onClose={onClose}
      submitLabel={t("common.save")}
      isBusy={resolve.isPending}
      error={resolve.error}
      disabledReason={
        action === undefined || note.trim() === ""
          ? t("infrastructure.reviews.decideFirst")
          : undefined
      }
      call={{ operation: "resolveUsageReview", request }}
      onSubmit={() => resolve.mutate(request)}
      size="lg"
    >
      <span>{held.message}</span>
      <CodeBlock wraps text={pretty(held.event)} label={t("infrastructure.reviews.event")} />
      <RadioGroup
        label={t("infrastructure.reviews.decision")}
        value={action}
        onChange={setAction}
        choices={[
          {
            value: "accept",
            label: t("infrastructure.reviews.accept"),
            description: t("infrastructure.reviews.acceptText"),
          },
          {
            value: "reject",
            label: t("infrastructure.reviews.reject"),
            description: t("infrastructure.reviews.rejectText"),
          },
        ]}
      />
      <TextField
        label={t("infrastructure.note")}
        value={note}
        onChange={setNote}
        maxLength={100}
        required
        error={fieldError(resolve.error, "note")}
      />
    </FormDialog>
  );
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
