/** What was used, exported by day, week and month over the API (MT-06): each sums to the bill. */
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";

import { loadPriceBook } from "#catalog/price-profiles.ts";
import { sql } from "#db/sql.ts";
import { cutDue } from "#flow/meter/cut-loop.ts";
import { rateTenant } from "#flow/rate/loop.ts";
import { addDays, dayStart, daysOf, localDay } from "#kernel/calendar.ts";
import { formatFen, parseFen, sumFen } from "#kernel/money.ts";
import { billingZone } from "#kernel/zone.ts";

import { whole } from "./job-cloud.ts";
import { orderCloud } from "./order-cloud.ts";

const cloud = await orderCloud("2026-07-10T09:00:00");
const { db, now } = cloud;
const of = await cloud.customer("100000.00");
const range = { from: "2026-06-22", through: "2026-07-05" };

for (const [index, day] of daysOf(localDay(range.from), localDay("2026-07-06")).entries()) {
  const from = dayStart(billingZone, day);
  // Every second day another GPU beside the one of every day; the last hours of each are uneven.
  for (const sku of index % 2 === 0 ? ["gpu.A100"] : ["gpu.A100", "gpu.T4"]) {
    await db.execute(sql`
      insert into usage_interval (tenant_id, id, instance_id, request_id, project_id, sku, units,
        started_at, ended_at, work, source_seq)
      values (${of.tenantId}, ${newId()}, ${newId()}, ${newId()}, ${newId()}, ${sku}, 1,
        ${new Date(from)}, ${new Date(from + 7_000_000 + index * 1_234_567)}, 'job', 1)`);
  }
}
while (await cutDue(db, now()));
const context = { db, now, timeZoneOf: () => Promise.resolve(billingZone) };
await rateTenant(context, of.tenantId, await loadPriceBook(db));

async function exported(by: "line" | "day" | "week" | "month", language: "en" | "zh-CN" = "en") {
  const query = { ...range, by, language, format: "csv" as const };
  const text = (await whole(await of.api.bytes("exportStatement", { query }))).toString();
  // No cell of this one has a comma but for multipliers, which are quoted.
  const rows = text.split("\r\n").map((row) => row.replaceAll(/"[^"]*"/g, "x").split(","));
  const end = rows.findIndex(([first]) => ["Total", "合计"].includes(first ?? ""));
  const [header = [], ...rest] = rows.slice(0, end).filter((row) => row.length > 5);
  const date = header.findIndex((title) => ["Date", "日期"].includes(title));
  // Below the lines stand the subtotals.
  const lines = rest.filter((row) => /^20\d\d-/.test(row[date] ?? ""));
  return { header, lines, total: rows[end]?.find((cell) => /^\d+\.\d\d$/.test(cell)) };
}

test("MT-06, R-EXP-1: by day, ISO week and month there is a row per period and SKU, and all sum to the bill", async () => {
  const bill = await of.api.call("getStatement", { query: range });
  const periods = {
    day: daysOf(localDay(range.from), addDays(localDay(range.through), 1)),
    week: ["2026-W26", "2026-W27"],
    month: ["2026-06", "2026-07"],
  };
  for (const by of ["line", "day", "week", "month"] as const) {
    // oxlint-disable-next-line no-await-in-loop -- four exports
    const { header, lines, total } = await exported(by);
    const [date, amount] = [header.indexOf("Date"), header.indexOf("Amount")];
    const sum = sumFen(lines.map((row) => parseFen(row[amount] ?? "")));
    expect({ by, sum: formatFen(sum), total }).toEqual({ by, sum: bill.total, total: bill.total });
    const seen = [...new Set(lines.map((row) => row[date]))];
    expect(seen).toEqual(periods[by === "line" ? "day" : by]);
  }
  // A row per SKU of the period.
  expect((await exported("month")).lines).toHaveLength(4);
});

test("MT-06: in Chinese too, and as a workbook and a PDF, the same bytes each time", async () => {
  const { header, total } = await exported("week", "zh-CN");
  expect(header).toContain("金额");
  expect(total).toBe((await of.api.call("getStatement", { query: range })).total);
  for (const format of ["xlsx", "pdf"] as const) {
    const query = { ...range, by: "week", language: "zh-CN", format } as const;
    const [once, again] = [
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await whole(await of.api.bytes("exportStatement", { query })),
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await whole(await of.api.bytes("exportStatement", { query })),
    ];
    expect(once.length).toBeGreaterThan(1000);
    expect(once.equals(again)).toBe(true);
  }
});
