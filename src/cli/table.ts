/** Tables without lines, aligned by the width that characters have on a terminal (also 中文). */
import Table from "cli-table3";

import { safe } from "./text.ts";

export interface Column<T> {
  readonly title: string;
  readonly cell: (item: T) => string | number;
  readonly right?: true;
}

const plain = {
  chars: {
    top: "",
    "top-mid": "",
    "top-left": "",
    "top-right": "",
    bottom: "",
    "bottom-mid": "",
    "bottom-left": "",
    "bottom-right": "",
    left: "",
    "left-mid": "",
    mid: "",
    "mid-mid": "",
    right: "",
    "right-mid": "",
    middle: "  ",
  },
  style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
};

export function table<T>(columns: readonly Column<T>[], items: readonly T[]): string {
  const rows = new Table({
    ...plain,
    head: columns.map((column) => column.title),
    colAligns: columns.map((column) => (column.right === true ? "right" : "left")),
  });
  for (const item of items) rows.push(columns.map((column) => safe(String(column.cell(item)))));
  return trimmed(rows.toString());
}

/** Names and values, one pair a line; a pair without a value is left out. */
export function fields(pairs: readonly (readonly [string, string | undefined])[]): string {
  const rows = new Table(plain);
  for (const [name, value] of pairs) {
    if (value !== undefined) rows.push([`${name}:`, safe(value)]);
  }
  return trimmed(rows.toString());
}

function trimmed(text: string): string {
  return `${text.replaceAll(/[ ]+$/gm, "")}\n`;
}
