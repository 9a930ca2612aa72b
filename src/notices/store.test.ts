import { expect, test } from "vitest";

import { sql } from "#db/sql.ts";
import { testDatabase } from "#test/database.ts";

import {
  alerts,
  markRead,
  notices,
  notify,
  openAlerts,
  raiseAlert,
  resolveAlert,
} from "./store.ts";
import { alertText, allSentences, noticeText } from "./words.ts";

const { db } = await testDatabase();
const now = Date.parse("2026-05-04T10:00:00.000Z");
const [tenantId, otherId] = [
  "019f0000-0000-7000-8000-000000000001",
  "019f0000-0000-7000-8000-000000000002",
];
for (const id of [tenantId, otherId]) {
  // oxlint-disable-next-line no-await-in-loop -- two rows
  await db.execute(sql`insert into tenant (id, kind, name, display_name, time_zone, created_at)
    values (${id}, 'customer', ${id}, 'T', 'UTC', now())`);
}

const first = { after: undefined, limit: 10 };

test("a fact is told once, to its tenant only, and read once", async () => {
  const draft = {
    key: "k",
    kind: "package_expires",
    severity: "info",
    data: { text: "it's" },
    at: now,
  } as const;
  const tell = () => db.tenant(tenantId, (tx) => notify(tx, { tenantId, ...draft }));
  expect([await tell(), await tell()]).toEqual([true, false]);
  const [notice] = await db.tenant(tenantId, (tx) => notices(tx, tenantId, first));
  expect(notice).toMatchObject({ kind: "package_expires", readAt: null });
  expect(await db.tenant(otherId, (tx) => notices(tx, tenantId, first))).toEqual([]);
  const id = notice?.id ?? "";
  const read = (at: number) => db.tenant(tenantId, (tx) => markRead(tx, { tenantId, id, at }));
  expect(await read(now + 1)).toMatchObject({ readAt: now + 1 });
  expect(await read(now + 2)).toMatchObject({ readAt: now + 1 });
  const foreign = await db.tenant(otherId, (tx) => markRead(tx, { tenantId, id, at: now }));
  expect(foreign).toBeUndefined();
});

test("an alert is one row while its cause lasts, and opens anew after it was resolved", async () => {
  const raise = (at: number) =>
    db.tenant(tenantId, (tx) =>
      raiseAlert(tx, {
        key: "cause",
        kind: "event_conflict",
        severity: "critical",
        tenantId,
        data: { id: "x" },
        at,
      }),
    );
  expect([await raise(now), await raise(now + 5)]).toEqual([true, false]);
  expect(await alerts(db, { ...first, open: true })).toMatchObject([
    { seen: 2n, raisedAt: now, lastSeenAt: now + 5, resolvedAt: null },
  ]);
  const resolve = () => resolveAlert(db, { key: "cause", by: "somebody", at: now + 6 });
  expect([await resolve(), await resolve()]).toEqual([true, false]);
  expect(await openAlerts(db)).toEqual([]);
  expect(await raise(now + 7)).toBe(true);
  expect(await alerts(db, { ...first, open: false })).toMatchObject([
    { seen: 1n, raisedAt: now + 7, resolvedBy: null },
  ]);
  expect(await openAlerts(db)).toEqual([
    { kind: "event_conflict", severity: "critical", count: 1 },
  ]);
});

test("a tenant raises alerts and reads none, neither its own nor others'", async () => {
  const read = db.tenant(tenantId, (tx) => alerts(tx, { ...first, open: false }));
  await expect(read).rejects.toThrow("permission denied");
});

test("sentences are filled by name, in both languages, and never fail", () => {
  const data = { source: "meter", id: "7/1" };
  expect(alertText("event_conflict", data, "en")).toContain("was refused: meter 7/1.");
  expect(alertText("event_conflict", data, "zh-CN")).toContain("已拒绝:meter 7/1。");
  expect(noticeText("package_expires", {}, "en")).toContain("{package}");
  expect(noticeText("toString", {}, "en")).toBe("toString");
});

function holes(text: string): string[] {
  return [...new Set(text.match(/\{\w+\}/g))].toSorted();
}

test("every notice and alert says the same in both languages: with the same figures", () => {
  for (const [kind, said] of Object.entries(allSentences)) {
    expect([kind, holes(said["zh-CN"])]).toEqual([kind, holes(said.en)]);
    expect(said["zh-CN"]).toMatch(/[\u4E00-\u9FFF]/);
  }
  const data = { tier: "gold", from: "2026-05-05", until: "2027-05-05" };
  expect(noticeText("tier_raised", data, "zh-CN")).toContain("您的客户等级为 黄金");
  expect(noticeText("tier_lowered", { ...data, tier: "normal" }, "en")).toContain(
    "is ordinary from",
  );
});
