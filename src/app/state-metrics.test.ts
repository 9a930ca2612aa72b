import { tmpdir } from "node:os";

import { expect, test } from "vitest";

import { sql } from "#db/sql.ts";
import { raiseAlert, resolveAlert } from "#notices/store.ts";
import { createObserver } from "#observe/observer.ts";
import { testDatabase } from "#test/database.ts";

import { stateMetrics } from "./state-metrics.ts";

test("open alerts, sites and the disk are shown as they are now; a dead database is a figure too", async () => {
  const { db } = await testDatabase();
  const observer = createObserver({ level: "silent" });
  stateMetrics({ observer, db, dataDirectory: tmpdir(), now: () => 90_000 });
  const scrape = (): Promise<string> => observer.metrics.metrics();

  const first = await scrape();
  expect(first).toContain("millrace_database_up 1\n");
  expect(first).toContain("millrace_queue_waiting 0\n");
  expect(first).toContain("millrace_queue_oldest_seconds 0\n");
  expect(first).not.toContain("millrace_alerts_open{");
  expect(Number(/^millrace_data_free_bytes (\S+)/m.exec(first)?.[1])).toBeGreaterThan(0);

  const data = { finding: "{}", count: 1 };
  const draft = { kind: "ledger_unbalanced", severity: "critical", data, at: 1 } as const;
  await raiseAlert(db, { key: "a", ...draft });
  await raiseAlert(db, { key: "b", ...draft });
  await db.execute(sql`insert into site
    (name, kind, version, execution, execution_reason, capabilities, reachable)
    values ('far', 'simulated', '1', 'simulated', 'test', '{}', false)`);
  const two = 'millrace_alerts_open{kind="ledger_unbalanced",severity="critical"} 2';
  const second = await scrape();
  expect(second).toContain(two);
  expect(second).toContain('millrace_site_reachable{site="far"} 0');

  await resolveAlert(db, { key: "a", by: "test", at: 2 });
  await resolveAlert(db, { key: "b", by: "test", at: 2 });
  expect(await scrape()).not.toContain("millrace_alerts_open{");

  await db.close();
  const last = await scrape();
  expect(last).toContain("millrace_database_up 0\n");
  expect(last).not.toMatch(/^millrace_(?:site_reachable|queue_)/m);
  expect(last).toMatch(/^millrace_data_free_bytes \d/m);
});
