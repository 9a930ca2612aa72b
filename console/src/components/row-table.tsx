/** The rows of a DataTable as a table; those far from the view are left out of the document. */
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect, useMemo, useRef, useState, type ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Checkbox } from "#console/ui/fields.tsx";
import { OnlyRead } from "#console/ui/text.tsx";

import type { Selection } from "./bulk.tsx";
import type { Column } from "./data-table.tsx";

export interface Rows<Item> {
  readonly items: readonly Item[];
  readonly columns: readonly Column<Item>[];
  readonly keyOf: (item: Item) => string;
  readonly nameOf?: (item: Item) => string;
  readonly selection: Selection<Item> | undefined;
}

/** Fewer are all drawn. */
const virtualFrom = 80;
const rowPxGuess = 45;

export function RowTable<Item>(props: Rows<Item> & { readonly label: string }): ReactNode {
  const { items, columns, keyOf, selection, label } = props;
  const { t } = useText();
  const wrap = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    setTop((wrap.current?.getBoundingClientRect().top ?? 0) + window.scrollY);
  }, []);
  const isVirtual = items.length > virtualFrom;
  const virtual = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => rowPxGuess,
    overscan: 15,
    scrollMargin: top,
    enabled: isVirtual,
    getItemKey: (index) => keyAt(items, index, keyOf),
  });
  const shown = virtual.getVirtualItems();
  const before = (shown[0]?.start ?? top) - top;
  const after = virtual.getTotalSize() - ((shown.at(-1)?.end ?? top) - top);
  const columnCount = columns.length + (selection === undefined ? 0 : 1);
  return (
    <div className="card table-wrap" ref={wrap}>
      <table className="table" aria-label={label} aria-rowcount={items.length + 1}>
        <thead>
          <tr>
            {selection === undefined ? null : (
              <th className="pick" scope="col">
                <Checkbox
                  ariaLabel={t("common.table.selectAll")}
                  isOn={selection.isAll}
                  isPartly={selection.selected.length > 0 && !selection.isAll}
                  onChange={selection.setAll}
                />
              </th>
            )}
            {columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                className={column.align === "end" ? "end" : undefined}
              >
                {column.isHeadHidden === true ? <OnlyRead>{column.head}</OnlyRead> : column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {isVirtual ? (
            <>
              <Gap px={before} columns={columnCount} />
              {shown.map((row) => {
                const item = items[row.index];
                return item === undefined ? null : (
                  <TableRow
                    key={row.key}
                    {...props}
                    item={item}
                    index={row.index}
                    measure={virtual.measureElement}
                  />
                );
              })}
              <Gap px={after} columns={columnCount} />
            </>
          ) : (
            items.map((item, index) => (
              <TableRow key={keyOf(item)} {...props} item={item} index={index} />
            ))
          )}
        </tbody>
      </table>
    </div>
  );
}

function TableRow<Item>({
  item,
  index,
  columns,
  keyOf,
  nameOf,
  selection,
  measure,
}: Rows<Item> & {
  readonly item: Item;
  readonly index: number;
  readonly measure?: (element: HTMLTableRowElement | null) => void;
}): ReactNode {
  const { t } = useText();
  const key = keyOf(item);
  const isSelected = selection?.has(key) === true;
  // Scrolling draws the table anew, and its rows need not be.
  const cells = useMemo(
    () =>
      columns.map((column) => (
        <td key={column.key} className={column.align === "end" ? "end" : undefined}>
          {column.cell(item)}
        </td>
      )),
    [columns, item],
  );
  return (
    <tr
      data-index={index}
      aria-rowindex={index + 2}
      {...(measure === undefined ? {} : { ref: measure })}
      {...(isSelected ? { "data-selected": true } : {})}
    >
      {selection === undefined ? null : (
        <td className="pick">
          <Checkbox
            ariaLabel={t("common.table.select", { name: nameOf?.(item) ?? key })}
            isOn={isSelected}
            onChange={(isOn) => selection.set(key, isOn)}
          />
        </td>
      )}
      {cells}
    </tr>
  );
}

function Gap({ px, columns }: { readonly px: number; readonly columns: number }): ReactNode {
  return px <= 0 ? null : (
    <tr aria-hidden="true">
      <td colSpan={columns} style={{ height: px, padding: 0, border: 0 }} />
    </tr>
  );
}

function keyAt<Item>(
  items: readonly Item[],
  index: number,
  keyOf: (item: Item) => string,
): string | number {
  const item = items[index];
  return item === undefined ? index : keyOf(item);
}
