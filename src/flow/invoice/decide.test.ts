import canonicalize from "canonicalize";
import fc from "fast-check";
import { strFromU8, unzipSync } from "fflate";
import { expect, test } from "vitest";

import { defaultProfile } from "#catalog/profile.ts";
import { splitVat } from "#catalog/tax.ts";
import { present } from "#kernel/assert.ts";
import { localDay } from "#kernel/calendar.ts";
import { fen, parseFen, zeroFen } from "#kernel/money.ts";
import { rational } from "#kernel/rational.ts";
import { billingZone } from "#kernel/zone.ts";

import { csvCell, statementCsv } from "./csv.ts";
import { noDescription, statementOf, type Statement, type StatementLine } from "./decide.ts";
import { grouped } from "./group.ts";
import { statementPdf } from "./pdf.ts";
import { statementText } from "./text.ts";
import { displayWidth } from "./words.ts";
import { statementXlsx } from "./xlsx.ts";

function statement(lines: readonly StatementLine[], name = "Ada's lab"): Statement {
  return statementOf({
    tenant: { id: "t", name },
    from: localDay("2026-05-01"),
    through: localDay("2026-05-31"),
    timeZone: billingZone,
    lines,
    splitTax: (gross) => splitVat(defaultProfile, gross),
    vatRate: "0.06",
    profile: "Default v1",
    checkpoint: { size: 20, root: "cm9vdA==" },
  });
}

const none = { package: zeroFen, bonus: zeroFen, balance: zeroFen, owed: zeroFen };

const line: StatementLine = {
  kind: "usage",
  date: localDay("2026-05-04"),
  sku: "gpu.A100",
  description: noDescription,
  revision: 0,
  quantity: rational(271n, 180n),
  unit: "GPU-hour",
  listPrice: "50",
  multiplier: "1, 0.95",
  amount: parseFen("75.28"),
  paidBy: { ...none, package: parseFen("70.00"), balance: parseFen("5.28") },
  leaves: { first: 7, last: 19, count: 3 },
  state: "posted",
};
const two: readonly StatementLine[] = [
  line,
  {
    ...line,
    sku: "storage",
    revision: 1,
    unit: "GiB-day",
    listPrice: "0.05",
    multiplier: "re-rated",
    amount: parseFen("-1.50"),
    paidBy: { ...none, balance: parseFen("-1.50") },
    leaves: null,
    state: "provisional",
  },
];

const amounts = fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }).map((value) => fen(value));
const someLines = fc.array(
  fc.record({ sku: fc.constantFrom("gpu.T4", "cpu.core", "storage"), amount: amounts }),
);

test("R-TAX-1: totals are the lines to the fen; net and VAT add up to the total", () => {
  fc.assert(
    fc.property(someLines, (list) => {
      const made = statement(list.map((each) => ({ ...line, ...each })));
      expect(sumOf([made.total])).toBe(list.reduce((sum, { amount }) => sum + amount, 0n));
      expect(sumOf(made.lines.map(({ amount }) => amount))).toBe(sumOf([made.total]));
      expect(sumOf(made.totals.map(({ amount }) => amount))).toBe(sumOf([made.total]));
      expect(sumOf([made.net, made.vat])).toBe(sumOf([made.total]));
    }),
  );
});

test("R-TAX-1: tax is computed once, not by line", () => {
  // Each line alone would give a VAT of 0.00.
  const made = statement(Array.from({ length: 100 }, () => ({ ...line, amount: fen(8n) })));
  expect(made).toMatchObject({ total: "8.00", net: "7.55", vat: "0.45" });
});

test("a statement is written in canonical order, whatever is in it", () => {
  const description = fc.record({ en: fc.string({ unit: "grapheme" }), "zh-CN": fc.string() });
  const leaves = fc.option(fc.record({ first: fc.nat(), last: fc.nat(), count: fc.nat() }));
  const lines = fc.array(
    fc.record({ sku: fc.constantFrom("gpu.T4", "storage"), amount: amounts, description, leaves }),
  );
  fc.assert(
    fc.property(lines, fc.string({ unit: "grapheme" }), (list, name) => {
      const made = statement(
        list.map((each) => ({ ...line, ...each })),
        name,
      );
      expect(JSON.stringify(made)).toBe(canonicalize(made));
    }),
  );
});

test("a statement in the words of the wire", () => {
  expect(statement(two)).toMatchObject({
    lines: [
      { date: "2026-05-04", quantity: "1.505556", amount: "75.28", state: "posted" },
      { sku: "storage", amount: "-1.50" },
    ],
    totals: [
      { sku: "gpu.A100", amount: "75.28" },
      { sku: "storage", amount: "-1.50" },
    ],
    total: "73.78",
    net: "69.60",
    vat: "4.18",
  });
});

test("R-EXP-1: CSV has one row per line and the sums after them", () => {
  expect(statementCsv(statement(two), "en").split("\r\n")).toEqual([
    "Kind,Date,SKU,Description,Quantity,Unit,List price,Multiplier,Amount,From package,From bonus,From balance,Owed,Log entries,State",
    'usage,2026-05-04,gpu.A100,,1.505556,GPU-hour,50,"1, 0.95",75.28,70.00,0.00,5.28,0.00,7–19 (3),posted',
    "usage,2026-05-04,storage,late usage,1.505556,GiB-day,0.05,re-rated,-1.50,0.00,0.00,-1.50,0.00,,provisional",
    "subtotal,,gpu.A100,,,,,,75.28,,,,,,",
    "subtotal,,storage,,,,,,-1.50,,,,,,",
    "Total,,,,,,,,73.78,,,,,,",
    "Net,,,,,,,,69.60,,,,,,",
    "VAT,,,,,,,,4.18,,,,,,",
    "",
  ]);
  const chinese = statementCsv(statement(two), "zh-CN");
  expect(chinese.startsWith("\uFEFF类型,日期,计费项")).toBe(true);
});

test("R-EXP-1: by day, ISO week and month the sums stay those of the lines", () => {
  const days = ["2026-05-31", "2026-06-01", "2026-06-01", "2026-06-07"].map(
    (date): StatementLine => ({ ...line, date: localDay(date) }),
  );
  const whole = statement(days);
  const named = (by: "day" | "week" | "month") =>
    grouped(whole, by).lines.map(({ date, amount, quantity }) => [date, amount, quantity]);
  expect(named("day")).toEqual([
    ["2026-05-31", "75.28", "1.505556"],
    ["2026-06-01", "150.56", "3.011112"],
    ["2026-06-07", "75.28", "1.505556"],
  ]);
  expect(named("week")).toEqual([
    ["2026-W22", "75.28", "1.505556"],
    ["2026-W23", "225.84", "4.516668"],
  ]);
  expect(named("month").map(([month, amount]) => [month, amount])).toEqual([
    ["2026-05", "75.28"],
    ["2026-06", "225.84"],
  ]);
  expect(grouped(whole, "line")).toBe(whole);
  expect(grouped(whole, "week").lines[1]?.leaves).toEqual({ first: 7, last: 19, count: 9 });
});

test("R-EXP-1: a workbook holds numbers as numbers, texts as texts, and the same bytes again", async () => {
  const evil = statement(
    [{ ...line, kind: "order", description: { en: "x", "zh-CN": '=HYPERLINK("x")' } }],
    "=1+1",
  );
  const book = await statementXlsx(evil, "zh-CN");
  expect(book.equals(await statementXlsx(evil, "zh-CN"))).toBe(true);
  const files = unzipSync(book);
  const text = (name: string) => strFromU8(present(files[name], name));
  const sheet = text("xl/worksheets/sheet1.xml");
  expect(sheet).toContain("<v>75.28</v>");
  expect(sheet).not.toContain("<f>");
  const strings = text("xl/sharedStrings.xml");
  expect(strings).toContain("=1+1");
  expect(strings).toContain("计费项");
});

test("a PDF has its font inside, is cut into pages, and the same bytes again", async () => {
  const long = statement(Array.from({ length: 120 }, () => line));
  const ask = {
    statement: long,
    language: "zh-CN",
    at: Date.parse("2026-06-03T00:00:00Z"),
  } as const;
  const [pdf, again] = [await statementPdf(ask), await statementPdf(ask)];
  expect(pdf.equals(again)).toBe(true);
  const text = pdf.toString("latin1");
  expect(text.startsWith("%PDF-1.")).toBe(true);
  expect(text.match(/\/Type \/Page\b/g)?.length).toBeGreaterThan(2);
  expect(text).toContain("/FontFile3");
  const other = await statementPdf({ ...ask, title: "Invoice 1" });
  expect(other.equals(pdf)).toBe(false);
});

test("R-EXP-1: no cell of a CSV is a formula, and no cell breaks out of its row", () => {
  expect(csvCell("=1+1")).toBe("'=1+1");
  expect(csvCell("+1")).toBe("'+1");
  expect(csvCell("-SUM(A1)")).toBe("'-SUM(A1)");
  expect(csvCell("@x")).toBe("'@x");
  expect(csvCell("-1.50")).toBe("-1.50");
  expect(csvCell('=cmd|"a",b')).toBe(`"'=cmd|""a"",b"`);
  fc.assert(
    fc.property(fc.string(), (text) => {
      const cell = csvCell(text);
      const isNumber = /^-?\d+(\.\d+)?$/.test(cell);
      expect(isNumber || !/^"?[=+\-@\t\r]/.test(cell)).toBe(true);
      expect(cell.startsWith('"') || !/[,"\r\n]/.test(cell)).toBe(true);
    }),
  );
});

test("the table for a person, in English and Chinese, without columns that say nothing", () => {
  expect(statementText(statement(two), "en").split("\n")).toEqual([
    "Statement: Ada's lab",
    "Period: 2026-05-01 – 2026-05-31 (Asia/Shanghai)",
    "Prices: Default v1",
    "Log checkpoint: 20, cm9vdA==",
    "",
    "Date        SKU       Description  Quantity  Unit      List price  Multiplier  Amount  From package  From balance  Log entries  State",
    "----------  --------  -----------  --------  --------  ----------  ----------  ------  ------------  ------------  -----------  -----------",
    "2026-05-04  gpu.A100               1.505556  GPU-hour          50     1, 0.95   75.28         70.00          5.28  7–19 (3)     posted",
    "2026-05-04  storage   late usage   1.505556  GiB-day         0.05    re-rated   -1.50          0.00         -1.50               provisional",
    "",
    "gpu.A100  75.28  CNY",
    "storage   -1.50  CNY",
    "Total     73.78  CNY",
    "Net       69.60  CNY",
    "VAT 6%     4.18  CNY",
    "",
    "Provisional lines may change until 48 hours after the end of their day.",
    "",
  ]);
  const chinese = statementText(statement(two), "zh-CN").split("\n");
  const [header = "", rule = "", ...rows] = chinese.slice(5, 9);
  expect(header.startsWith("日期        计费项")).toBe(true);
  expect(rows.map((row) => displayWidth(row) <= displayWidth(rule))).toEqual([true, true]);
  expect(chinese).toContain("增值税 6%    4.18  CNY");
  expect(rows.join("\n")).toMatch(/GPU 算力时[^]*GiB·天.*重新计价/);
  expect(statementText(statement([]), "en")).toContain("Nothing was used.");
});

function sumOf(texts: readonly string[]): bigint {
  return texts.reduce((sum, text) => sum + parseFen(text), 0n);
}
