/** The rows of a DataTable on a narrow screen: a card each, with its fields under one another. */
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect, useRef, useState, type ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Checkbox } from "#console/ui/fields.tsx";
import { Row } from "#console/ui/layout.tsx";

import type { Rows } from "./row-table.tsx";

const cardPxGuess = 170;

export function RowCards<Item>(props: Rows<Item>): ReactNode {
  const { items } = props;
  const wrap = useRef<HTMLUListElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    setTop((wrap.current?.getBoundingClientRect().top ?? 0) + window.scrollY);
  }, []);
  const virtual = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => cardPxGuess,
    overscan: 6,
    gap: 10,
    scrollMargin: top,
  });
  return (
    <ul
      ref={wrap}
      className="plain-list"
      style={{ position: "relative", height: virtual.getTotalSize() }}
    >
      {virtual.getVirtualItems().map((row) => {
        const item = items[row.index];
        return item === undefined ? null : (
          <li
            key={props.keyOf(item)}
            ref={virtual.measureElement}
            data-index={row.index}
            aria-setsize={items.length}
            aria-posinset={row.index + 1}
            style={{
              position: "absolute",
              insetInline: 0,
              transform: `translateY(${row.start - top}px)`,
            }}
          >
            <RowCard {...props} item={item} />
          </li>
        );
      })}
    </ul>
  );
}

function RowCard<Item>({
  item,
  columns,
  keyOf,
  nameOf,
  selection,
}: Rows<Item> & { readonly item: Item }): ReactNode {
  const { t } = useText();
  const key = keyOf(item);
  const title = columns.find((column) => column.isTitle === true) ?? columns[0];
  const rest = columns.filter((column) => column !== title && column.isHeadHidden !== true);
  const tools = columns.filter((column) => column.isHeadHidden === true);
  return (
    <div className="card row-card">
      <Row justify="space-between" wrap="nowrap" align="flex-start">
        <Row wrap="nowrap">
          {selection === undefined ? null : (
            <Checkbox
              ariaLabel={t("common.table.select", { name: nameOf?.(item) ?? key })}
              isOn={selection.has(key)}
              onChange={(isOn) => selection.set(key, isOn)}
            />
          )}
          <strong>{title?.cell(item)}</strong>
        </Row>
        {tools.map((column) => (
          <span key={column.key}>{column.cell(item)}</span>
        ))}
      </Row>
      <dl style={{ marginTop: "0.5rem" }}>
        {rest.map((column) => (
          <div key={column.key} style={{ display: "contents" }}>
            <dt>{column.head}</dt>
            <dd>{column.cell(item)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
