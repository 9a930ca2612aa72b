import fc from "fast-check";
import { expect, test } from "vitest";

import { defaultProfile } from "#catalog/profile.ts";
import { splitVat } from "#catalog/tax.ts";
import { localDay } from "#kernel/calendar.ts";
import { fen, parseFen } from "#kernel/money.ts";
import { rational } from "#kernel/rational.ts";
import { billingZone } from "#kernel/zone.ts";

import { csvCell, statementCsv } from "./csv.ts";
import { statementOf, type ChargedLine, type Statement } from "./decide.ts";
import { statementText } from "./text.ts";
import { displayWidth } from "./words.ts";

function statement(lines: readonly ChargedLine[], name = "Ada's lab"): Statement {
  return statementOf({
    tenant: { id: "t", name },
    from: localDay("2026-05-01"),
    through: localDay("2026-05-31"),
    timeZone: billingZone,
    lines,
    splitTax: (gross) => splitVat(defaultProfile, gross),
    vatRate: "0.06",
    profile: "Default v1",
  });
}

const line: ChargedLine = {
  date: localDay("2026-05-04"),
  sku: "gpu.A100",
  quantity: rational(271n, 180n),
  unit: "GPU-hour",
  listPrice: "50",
  multiplier: "1, 0.95",
  amount: parseFen("75.28"),
  state: "posted",
};
const two: readonly ChargedLine[] = [
  line,
  {
    ...line,
    sku: "storage",
    unit: "GiB-day",
    listPrice: "0.05",
    multiplier: "re-rated",
    amount: parseFen("-1.50"),
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
    "Kind,Date,SKU,Quantity,Unit,List price,Multiplier,Amount,State",
    'line,2026-05-04,gpu.A100,1.505556,GPU-hour,50,"1, 0.95",75.28,posted',
    "line,2026-05-04,storage,1.505556,GiB-day,0.05,re-rated,-1.50,provisional",
    "subtotal,,gpu.A100,,,,,75.28,",
    "subtotal,,storage,,,,,-1.50,",
    "Total,,,,,,,73.78,",
    "Net,,,,,,,69.60,",
    "VAT,,,,,,,4.18,",
    "",
  ]);
  const chinese = statementCsv(statement(two), "zh-CN");
  expect(chinese.startsWith("\uFEFF类型,日期,计费项")).toBe(true);
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

test("the table for a person, in English and Chinese", () => {
  expect(statementText(statement(two), "en").split("\n")).toEqual([
    "Statement: Ada's lab",
    "Period: 2026-05-01 – 2026-05-31 (Asia/Shanghai)",
    "Prices: Default v1",
    "",
    "Date        SKU       Quantity  Unit      List price  Multiplier  Amount  State",
    "----------  --------  --------  --------  ----------  ----------  ------  -----------",
    "2026-05-04  gpu.A100  1.505556  GPU-hour          50     1, 0.95   75.28  posted",
    "2026-05-04  storage   1.505556  GiB-day         0.05    re-rated   -1.50  provisional",
    "",
    "gpu.A100  75.28 CNY",
    "storage   -1.50 CNY",
    "Total     73.78 CNY",
    "Net       69.60 CNY",
    "VAT 6%     4.18 CNY",
    "",
    "Provisional lines may change until 48 hours after the end of their day.",
    "",
  ]);
  const chinese = statementText(statement(two), "zh-CN").split("\n");
  const [header = "", rule = "", ...rows] = chinese.slice(4, 8);
  expect(header.startsWith("日期        计费项")).toBe(true);
  expect(rows.map((row) => displayWidth(row) <= displayWidth(rule))).toEqual([true, true]);
  expect(chinese).toContain("增值税 6%    4.18 CNY");
  expect(statementText(statement([]), "en")).toContain("Nothing was used.");
});

function sumOf(texts: readonly string[]): bigint {
  return texts.reduce((sum, text) => sum + parseFen(text), 0n);
}
