/**
 * A list of things as a table, and as cards where the screen is narrow. Rows come in pages from the
 * server as one scrolls; only those near the view are in the document, so that 10,000 are as quick as
 * ten. Rows have the order that the server gives and keep it while they change.
 */
import type { ReactNode } from "react";

import type { Pages } from "#console/api/queries.ts";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import { BulkBar, useSelection, type BulkAction } from "./bulk.tsx";
import { ProblemBox } from "./problem-box.tsx";
import { LoadMore } from "./load-more.tsx";
import { RowCards } from "./row-cards.tsx";
import { RowTable } from "./row-table.tsx";
import { useIsNarrow } from "./use-narrow.ts";

export interface Column<Item> {
  readonly key: string;
  readonly head: string;
  readonly cell: (item: Item) => ReactNode;
  /** Numbers and amounts stand at the end. */
  readonly align?: "start" | "end";
  /** Names the row: the head of its card. The first column if none says so. */
  readonly isTitle?: boolean;
  /** Its head is for screen readers only: buttons, menus. */
  readonly isHeadHidden?: boolean;
}

export interface DataTableProps<Item> {
  /** What it is a table of: said to screen readers. */
  readonly label: string;
  /** From `usePages`, or `wholeList` of an answer that has all. */
  readonly pages: Pages<Item>;
  readonly columns: readonly Column<Item>[];
  readonly keyOf: (item: Item) => string;
  /** Filters, above it. */
  readonly filters?: ReactNode;
  readonly isFiltered?: boolean;
  readonly onClearFilters?: () => void;
  /** Instead of the table when there is nothing and nothing is filtered. */
  readonly empty: ReactNode;
  readonly nameOf?: (item: Item) => string;
  /** With these, rows can be selected. */
  readonly bulk?: readonly BulkAction<Item>[];
}

export function DataTable<Item>(props: DataTableProps<Item>): ReactNode {
  const { pages, filters, isFiltered = false, empty, keyOf, bulk, label } = props;
  const { t } = useText();
  const isNarrow = useIsNarrow();
  const selection = useSelection(pages.items, keyOf);
  const isEmpty = pages.items.length === 0;
  if (pages.isPending) {
    return (
      <Stack gap="sm">
        {filters}
        <Skeleton lines={8} label={t("common.loading")} />
      </Stack>
    );
  }
  if (isEmpty && pages.error === null && !isFiltered) return empty;
  const rows = {
    ...props,
    items: pages.items,
    selection: bulk === undefined ? undefined : selection,
  };
  return (
    <Stack gap="sm">
      {filters}
      {pages.error === null ? null : <ProblemBox error={pages.error} onRetry={pages.retry} />}
      {bulk === undefined ? null : (
        <BulkBar actions={bulk} selection={selection} nameOf={props.nameOf ?? keyOf} />
      )}
      {isEmpty ? (
        pages.error === null ? (
          <NothingFound onClear={props.onClearFilters} />
        ) : null
      ) : (
        <div aria-busy={pages.isFetching}>
          {isNarrow ? <RowCards {...rows} /> : <RowTable {...rows} label={label} />}
        </div>
      )}
      {isEmpty ? null : <LoadMore pages={pages} />}
    </Stack>
  );
}

function NothingFound({ onClear }: { readonly onClear: (() => void) | undefined }): ReactNode {
  const { t } = useText();
  return (
    <div className="card empty">
      <Row>
        <Muted size="md">{t("common.table.nothingFound")}</Muted>
        {onClear === undefined ? null : (
          <Button size="xs" onClick={onClear}>
            {t("common.table.clearFilters")}
          </Button>
        )}
      </Row>
    </div>
  );
}
