/**
 * A list of 10,000 instances: it scrolls and filters, in pages from the server, few of its rows are in
 * the document, what happens meanwhile is shown, and rows stay where they are.
 */
import { randomUUID } from "node:crypto";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { findRequest, insertRequests, type Request } from "#flow/admit/requests.ts";
import { present } from "#kernel/assert.ts";

import { openBrowser, type TestBrowser } from "./browser.ts";
import type { Customer } from "./console-cloud.ts";
import { startMortalCloud } from "./mortal-cloud.ts";
import { arrived, signIn } from "./sign-in.ts";

const many = 10_000;
/** Ten pages: then the list is a long one, whose whole is not read anew for each change. */
const scrolledRows = 1000;
const polled = { timeout: 240_000, interval: 100 };
const cloud = await startMortalCloud(["--simulate-gpus", "T4=8"]);
let browser: TestBrowser;
let customer: Customer;
let liveId: string;

beforeAll(async () => {
  browser = await openBrowser();
  customer = await cloud.customer("many", "1000");
  const { client } = customer;
  // The newest of all, so that it is the first of the list.
  const { lease } = await client.call("createLease", { body: { name: "newest", flavor: "small" } });
  liveId = lease.id;
  await untilState("running");
  const first = await findRequest(cloud.db, { tenantId: customer.id, id: liveId, kind: "lease" });
  await insertStopped(present(first, "the first lease"));
});

afterAll(async () => {
  await browser.close();
  await cloud.close();
});

test("10,000 instances scroll and filter, and live changes are shown and move no row", async () => {
  const { page, close } = await browser.person(cloud.url);
  const table = page.getByRole("table", { name: "Instances" });
  const rowCount = async (): Promise<number> => Number(await table.getAttribute("aria-rowcount"));
  const beganAt = performance.now();
  await signIn(page, customer.key, "/instances");
  await page.getByRole("link", { name: "web-09999" }).waitFor();
  const shownMs = performance.now() - beganAt;
  const scrolledAt = performance.now();
  await expect
    .poll(async () => {
      await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
      return rowCount();
    }, polled)
    .toBeGreaterThan(scrolledRows);
  const scrolledMs = (performance.now() - scrolledAt) / (scrolledRows / 100);
  await page.getByRole("link", { name: "web-09010" }).waitFor();
  expect(await page.locator("tbody tr").count()).toBeLessThan(120);

  await page.evaluate("scrollTo(0, 0)");
  const row = page.getByRole("row", { name: /newest/ });
  await row.getByText("Running", { exact: true }).waitFor();
  const before = await placesOfRows(page);
  const changedAt = performance.now();
  await customer.client.call("stopLease", { params: { leaseId: liveId } });
  await row.getByText("Stopped", { exact: true }).waitFor();
  const liveMs = performance.now() - changedAt;
  expect(await placesOfRows(page)).toEqual(before);

  // The oldest of all are found without scrolling there.
  const filteredAt = performance.now();
  await page.getByRole("textbox", { name: "Name" }).fill("db-0");
  await page.getByRole("link", { name: "db-09900" }).waitFor();
  await expect.poll(rowCount, polled).toBe(100);
  const filteredMs = performance.now() - filteredAt;
  await page.getByRole("textbox", { name: "Name" }).fill("web-00001");
  await page.getByRole("link", { name: "web-00001" }).waitFor();
  await page.reload();
  await arrived(page);
  await page.getByRole("link", { name: "web-00001" }).waitFor();
  expect(await rowCount()).toBe(2);
  // Figures, not bounds: a machine under load must not fail the test.
  const figures = { shownMs, scrolledMs, liveMs, filteredMs };
  const text = Object.entries(figures).map(([name, ms]) => `${name} ${ms.toFixed(0)}`);
  process.stdout.write(`10,000 instances: ${text.join(", ")} (scrolled: a page of 100)\n`);
  await close();
});

const rows = z.array(z.tuple([z.string(), z.number()]));

/** Which row is where on the screen. */
async function placesOfRows(page: Page): Promise<z.output<typeof rows>> {
  return rows.parse(
    await page.evaluate(`[...document.querySelectorAll("tbody tr[data-index]")].slice(0, 15)
      .map((row) => [row.querySelector("a").innerText, Math.round(row.getBoundingClientRect().top)])`),
  );
}

/** As if they had been rented and stopped long ago, at a host that is no longer there. */
async function insertStopped(like: Request): Promise<void> {
  const requests = Array.from({ length: many }, (_, index) => {
    const number = index + 1;
    return {
      tenantId: customer.id,
      id: randomUUID(),
      projectId: like.project_id,
      kind: "lease" as const,
      name: `${number % 100 === 0 ? "db" : "web"}-${String(number).padStart(5, "0")}`,
      createdBy: like.created_by,
      shape: like.shape,
      image: like.image,
      loginUser: like.login_user,
      sshKeys: [],
      userData: undefined,
      restart: like.restart,
      price: like.price,
      priority: like.priority,
      workload: undefined,
      plan: like.plan,
      at: like.created_at - (many - index) * 1000,
    };
  });
  await cloud.db.transaction(async (tx) => {
    await insertRequests(tx, requests);
    await tx.execute(sql`update request set wanted = 'stopped'
      where tenant_id = ${customer.id} and id <> ${like.id}`);
  });
}

/** Also outside of a test. */
async function untilState(state: string): Promise<void> {
  await vi.waitFor(async () => {
    const now = await customer.client.call("getLease", { params: { leaseId: liveId } });
    expect(now.state).toBe(state);
  }, polled);
}
