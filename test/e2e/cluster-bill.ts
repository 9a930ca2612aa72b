/**
 * A customer's machine on the test cluster becomes a bill that he checks: its seconds and its price on the
 * invoice, the proof in his browser, and the bundle that he takes home with the offline verifier.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { TFunction } from "i18next";
import type { Page } from "playwright-core";
import { expect, vi } from "vitest";

import { createClient } from "#client/client.ts";
import { addMonths, dayOf, dayStart, firstDay, monthOf } from "#kernel/calendar.ts";
import { formatFen } from "#kernel/money.ts";
import { multiply, parseRational, rational } from "#kernel/rational.ts";
import { formatRounded, roundToFen } from "#kernel/rounding.ts";
import { billingZone } from "#kernel/zone.ts";
import { runInside } from "#test/cli-inside.ts";
import type { ClusterCloud } from "#test/kube/cloud.ts";

import { invoiceOf } from "./closed-month.ts";
import type { ConsoleCloud, Customer } from "./console-cloud.ts";

const polled = { timeout: 180_000, interval: 200 };
const hourMs = 3_600_000;

export interface Billed {
  readonly customer: Customer;
  readonly month: string;
  readonly invoice: string;
  /** For which its one core was held. */
  readonly seconds: number;
}

/** A machine that ran for some minutes and was released; then its month is over. */
export async function billMachine(
  cluster: ClusterCloud,
  { cloud, name }: { readonly cloud: ConsoleCloud; readonly name: string },
): Promise<Billed> {
  const customer = await cloud.customer(name, "1000");
  const { client } = customer;
  const body = { name: "web", flavor: "nano", image: "tiny" };
  const { lease } = await client.call("createLease", { body });
  const params = { leaseId: lease.id };
  const becomes = (state: string): Promise<void> =>
    vi.waitFor(async () => {
      expect((await client.call("getLease", { params })).state).toBe(state);
    }, polled);
  await becomes("running");
  await cluster.setForward(hourMs / 4);
  await client.call("releaseLease", { params });
  await becomes("released");
  const { items } = await client.call("listUsage", { query: { limit: 50 } });
  const cores = items.filter(({ sku }) => sku === "cpu.core");
  const seconds = cores.reduce((sum, each) => sum + each.seconds, 0);
  // Two days after it the month is closed.
  const month = monthOf(dayOf(billingZone, cluster.now()));
  const over = dayStart(billingZone, firstDay(addMonths(month, 1)));
  await cluster.setForward(over + 49 * hourMs - cluster.now());
  const { url: baseUrl, key: credential } = cloud;
  const forThem = createClient({ baseUrl, credential, tenant: customer.id });
  return { customer, month, invoice: await invoiceOf(forThem, month), seconds };
}

/** From the list of invoices to the line of the machine's core, and what is beneath it. */
export async function readInvoice(page: Page, t: TFunction, of: Billed): Promise<void> {
  const { invoice, customer, month, seconds } = of;
  expect(seconds).toBeGreaterThanOrEqual(900);
  await page.getByRole("link", { name: invoice }).click();
  await page.getByRole("heading", { level: 1, name: invoice }).waitFor();
  const { lines, total } = await customer.client.call("getStatement", { query: { month } });
  const price = lines.find(({ sku }) => sku === "cpu.core")?.listPrice ?? "";
  const hours = rational(BigInt(seconds), 3600n);
  const amount = formatFen(roundToFen(multiply(hours, parseRational(price))));
  const row = page.getByRole("row", { name: /cpu\.core/ });
  await row.getByText(`¥${amount}`, { exact: true }).waitFor();
  const shown = (await row.innerText()).replaceAll(/\s+/g, " ");
  expect(shown).toContain(formatRounded(hours, 6).replace(/\.?0+$/, ""));
  expect(shown).toContain(`¥${price}`);
  await page.getByText(`¥${total}`, { exact: true }).first().waitFor();
  await row.getByRole("button", { name: "cpu.core" }).click();
  const drawer = page.getByRole("dialog");
  await drawer
    .getByText(t("usage.exactly", { seconds: seconds.toLocaleString("en") }))
    .first()
    .waitFor();
  await drawer.getByRole("button", { name: t("common.close") }).click();
  await drawer.waitFor({ state: "detached" });
}

/** The page proves it; so do the verifier of the command line, and the page from the file. */
export async function proveInvoice(page: Page, t: TFunction, { month }: Billed): Promise<void> {
  await page.getByRole("link", { name: t("verify.check") }).click();
  await page.getByRole("heading", { level: 1, name: t("verify.title") }).waitFor();
  await page.getByRole("button", { name: t("verify.check") }).click();
  await page.getByText(t("verify.proved", { what: month })).waitFor();
  const passed = page.locator("[data-step]").getByText(t("verify.outcome.passed"));
  expect(await passed.count()).toBe(8);

  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: t("verify.download") }).click();
  const download = await saving;
  const directory = await mkdtemp(join(tmpdir(), "millrace-bundle-"));
  const file = join(directory, download.suggestedFilename());
  await download.saveAs(file);
  // Nobody is asked: no server is at that address.
  const verdict = await runInside("http://127.0.0.1:9", ["verify", file], directory);
  expect(verdict).toMatchObject({ code: 0, stderr: "" });
  await page.locator("input[type=file]").setInputFiles(file);
  await page.getByText(t("verify.proved", { what: download.suggestedFilename() })).waitFor();
  await rm(directory, { recursive: true });
}
