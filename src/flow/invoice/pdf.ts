/**
 * A statement or an invoice as PDF, with its font inside, byte for byte the same for the same
 * statement: the only time in it is the one that is given, and the file's identity follows from it.
 */
import { readFile } from "node:fs/promises";

import PdfFile from "pdfkit";

import { columnsOf, headOf, isOpen, sumsOf, type Column } from "./columns.ts";
import type { ShownLine, Statement } from "./decide.ts";
import { words, type Language } from "./words.ts";

const margin = 36;
const bodySize = 7;
const headSize = 9;
const titleSize = 15;
const rowHeight = 12;
const ruleColor = "#999999";
/** Points of the fourteen columns; together the width of a lying A4 page within its margins. */
const widths = [46, 56, 92, 56, 42, 46, 50, 56, 54, 50, 54, 50, 74, 44];
const gap = 5;

export interface PdfAsk {
  readonly statement: Statement;
  readonly language: Language;
  /** Such as "Invoice MR-2026-05-1a2b3c4d"; the statement's own title without it. */
  readonly title?: string;
  /** More lines of the head: state, due day, checkpoint. */
  readonly facts?: readonly (readonly [string, string])[];
  /** Of the document, in epoch milliseconds. */
  readonly at: number;
}

let fontsRead: Promise<{ readonly regular: Buffer; readonly bold: Buffer }> | undefined;

function fonts(): NonNullable<typeof fontsRead> {
  fontsRead ??= (async () => {
    const at = import.meta.resolve("@embedpdf/fonts-sc");
    const read = (name: string) => readFile(new URL(`../fonts/NotoSansHans-${name}.otf`, at));
    const [regular, bold] = await Promise.all([read("Regular"), read("Bold")]);
    return { regular, bold };
  })();
  return fontsRead;
}

export async function statementPdf(ask: PdfAsk): Promise<Buffer> {
  const { regular, bold } = await fonts();
  const document = new PdfFile({
    size: "A4",
    layout: "landscape",
    margin,
    bufferPages: true,
    info: {
      Title: ask.title ?? words[ask.language].title,
      Author: "Millrace",
      Producer: "Millrace",
      Creator: "Millrace",
      CreationDate: new Date(ask.at),
      ModDate: new Date(ask.at),
    },
  });
  const parts: Buffer[] = [];
  document.on("data", (part: Buffer) => parts.push(part));
  const ended = new Promise<void>((resolve, reject) => {
    document.on("end", () => resolve());
    document.on("error", reject);
  });
  document.registerFont("regular", regular);
  document.registerFont("bold", bold);
  head(document, ask);
  lines(document, ask);
  sums(document, ask);
  pageNumbers(document);
  document.end();
  await ended;
  return Buffer.concat(parts);
}

type Document = PDFKit.PDFDocument;

function head(document: Document, { statement, language, title, facts = [] }: PdfAsk): void {
  const say = words[language];
  const [[, name] = ["", ""], ...rest] = headOf(statement, language);
  document
    .font("bold")
    .fontSize(titleSize)
    .text(title ?? say.title);
  document.font("regular").fontSize(headSize).text(name);
  document.moveDown(0.5);
  for (const [label, value] of [...rest, ...facts]) {
    document.font("bold").text(`${label}  `, { continued: true }).font("regular").text(value);
  }
  document.moveDown(0.8);
}

function lines(document: Document, { statement, language }: PdfAsk): void {
  const columns = columnsOf(language);
  if (statement.lines.length === 0) {
    document.font("regular").fontSize(headSize).text(words[language].nothing).moveDown();
    return;
  }
  tableHead(document, columns);
  for (const line of statement.lines) {
    if (document.y + rowHeight > document.page.height - margin - rowHeight) {
      document.addPage();
      tableHead(document, columns);
    }
    row(document, columns, line);
  }
}

function tableHead(document: Document, columns: readonly Column[]): void {
  document.font("bold").fontSize(bodySize);
  cells(
    document,
    columns,
    columns.map(({ title }) => title),
  );
  rule(document);
  document.font("regular");
}

function row(document: Document, columns: readonly Column[], line: ShownLine): void {
  document.font("regular").fontSize(bodySize);
  cells(
    document,
    columns,
    columns.map(({ cell }) => cell(line)),
  );
}

function cells(document: Document, columns: readonly Column[], texts: readonly string[]): void {
  const top = document.y;
  let left = margin;
  for (const [at, text] of texts.entries()) {
    const width = (widths[at] ?? 0) - gap;
    document.text(fitting(document, text, width), left, top, {
      width,
      align: columns[at]?.isNumber === true ? "right" : "left",
      lineBreak: false,
    });
    left += widths[at] ?? 0;
  }
  document.x = margin;
  document.y = top + rowHeight;
}

/** Cut with an ellipsis; never over the next column. Amounts are narrower than their columns. */
function fitting(document: Document, text: string, width: number): string {
  if (document.widthOfString(text) <= width) return text;
  const shown = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
  while (shown.length > 0 && document.widthOfString(`${shown.join("")}…`) > width) shown.pop();
  return `${shown.join("")}…`;
}

function rule(document: Document): void {
  const right = document.page.width - margin;
  document
    .moveTo(margin, document.y - 2)
    .lineTo(right, document.y - 2)
    .lineWidth(0.5)
    .stroke(ruleColor);
}

function sums(document: Document, { statement, language }: PdfAsk): void {
  const named = sumsOf(statement, language);
  const needed = (named.length + 3) * rowHeight;
  if (document.y + needed > document.page.height - margin) document.addPage();
  document.y += rowHeight / 2;
  rule(document);
  for (const { kind, name, amount } of named) {
    const top = document.y;
    document.font(kind === "total" ? "bold" : "regular").fontSize(headSize);
    document.text(name, margin, top, { width: 160, lineBreak: false });
    const currency = `${amount} ${statement.currency}`;
    document.text(currency, margin + 160, top, { width: 120, align: "right", lineBreak: false });
    document.x = margin;
    document.y = top + rowHeight;
  }
  if (!isOpen(statement)) return;
  document
    .font("regular")
    .fontSize(bodySize)
    .text(words[language].remark, margin, document.y + 6);
}

function pageNumbers(document: Document): void {
  const { start, count } = document.bufferedPageRange();
  for (let page = start; page < start + count; page += 1) {
    document.switchToPage(page);
    // Below the margin, where text would otherwise begin a new page.
    document.page.margins.bottom = 0;
    document
      .font("regular")
      .fontSize(bodySize)
      .text(`${page + 1} / ${count}`, margin, document.page.height - margin + 8, {
        width: document.page.width - 2 * margin,
        align: "right",
        lineBreak: false,
      });
  }
}
