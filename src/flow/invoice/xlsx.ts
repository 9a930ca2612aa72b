/**
 * A statement as an Excel workbook, byte for byte the same for the same statement: the archive is
 * packed again with fixed times. Numbers are numbers, texts are texts (never formulas).
 */
import { unzipSync, zipSync, type Zippable } from "fflate";
import writeXlsxFile, { type Cell, type SheetData } from "write-excel-file/node";

import { columnsOf, headOf, isOpen, sumsOf, type Column } from "./columns.ts";
import type { Statement } from "./decide.ts";
import { words, type Language } from "./words.ts";

/** The first day that a zip archive can name. */
const packedAt = new Date(1980, 0, 1);
const plainNumber = /^-?[0-9]+(?:\.[0-9]+)?$/;
const amountFormat = "0.00";
/** Excel keeps fifteen digits of a number; longer ones stay text, so that none is changed. */
const digitsMax = 15;
const widths = [12, 14, 24, 14, 10, 11, 11, 13, 13, 13, 13, 13, 20, 12];

export async function statementXlsx(statement: Statement, language: Language): Promise<Buffer> {
  const say = words[language];
  const columns = columnsOf(language);
  const amountAt = columns.findIndex(({ title }) => title === say.amount);
  const sumRow = (name: string, amount: string): Cell[] =>
    columns.map((_, at) => {
      if (at === 0) return { value: name, type: String, fontWeight: "bold" };
      return at === amountAt ? numberCell(amount, "bold") : null;
    });
  const data: SheetData = [
    ...headOf(statement, language).map(([name, value]): Cell[] => [
      { value: name, type: String, fontWeight: "bold" },
      { value, type: String },
    ]),
    [],
    columns.map(({ title, isNumber }): Cell => ({
      value: title,
      type: String,
      fontWeight: "bold",
      align: isNumber ? "right" : "left",
    })),
    ...statement.lines.map((line) => columns.map((column) => cellOf(column, column.cell(line)))),
    [],
    ...sumsOf(statement, language).map(({ name, amount }) => sumRow(name, amount)),
    ...(isOpen(statement) ? [[], [{ value: say.remark, type: String } satisfies Cell]] : []),
  ];
  const packed = await writeXlsxFile([
    { data, sheet: say.title, columns: widths.map((width) => ({ width })) },
  ]).toBuffer();
  return repacked(packed);
}

function cellOf({ isNumber }: Column, text: string): Cell {
  if (text === "") return null;
  return isNumber ? numberCell(text) : { value: text, type: String };
}

function numberCell(text: string, fontWeight?: "bold"): Cell {
  const weight = fontWeight === undefined ? {} : { fontWeight };
  const digits = text.replaceAll(/[^0-9]/g, "").length;
  if (!plainNumber.test(text) || digits > digitsMax) {
    return { value: text, type: String, ...weight };
  }
  const decimals = text.split(".")[1]?.length ?? 0;
  const format = decimals <= 2 ? amountFormat : `0.${"0".repeat(decimals)}`;
  return { value: Number(text), type: Number, format, ...weight };
}

function repacked(archive: Uint8Array): Buffer {
  const files: Zippable = {};
  for (const [name, bytes] of Object.entries(unzipSync(archive)).toSorted(byName)) {
    files[name] = [bytes, { mtime: packedAt }];
  }
  return Buffer.from(zipSync(files, { mtime: packedAt }));
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
