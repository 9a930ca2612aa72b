/**
 * Selling and money, for the operator, in a real browser: prices are changed on paper and put in force,
 * what arrived at the bank is given to whom it belongs, a wrong invoice is taken back, and everything is
 * checked against everything.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openBrowser, oppositeLooks, plainLook, type TestBrowser } from "./browser.ts";
import { invoiceFor, lastDayOfClosedMonth } from "./closed-month.ts";
import { startConsoleCloud, type ConsoleCloud, type Customer } from "./console-cloud.ts";
import { expectAccessible, expectNoOverflow, shoot } from "./look.ts";
import { arrived, settled, signIn } from "./sign-in.ts";

let cloud: ConsoleCloud;
let browser: TestBrowser;
let acme: Customer;

/** A day of a month that is closed by now and whose usage still counts, whatever day today is. */
const usedOn = lastDayOfClosedMonth(Date.now());
const month = usedOn.slice(0, 7);

beforeAll(async () => {
  [cloud, browser] = await Promise.all([startConsoleCloud(), openBrowser()]);
  acme = await cloud.customer("acme", "20000");
  // Two hours of one A100.
  await invoiceFor(cloud, acme, {
    day: usedOn,
    used: [{ sku: "gpu.A100", unit: "GPU", units: 1 }],
  });
});

afterAll(async () => {
  await browser.close();
  await cloud.close();
});

async function operator(path: string): Promise<{ page: Page; close: () => Promise<void> }> {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, cloud.key, path);
  return { page, close };
}

const dialogButton = (page: Page, name: string) =>
  page.getByRole("dialog").getByRole("button", { name, exact: true });

test("a draft is checked while it is typed, says what changes, is replayed, and put in force", async () => {
  const { page, close } = await operator("/operate/prices");
  await page.getByRole("link", { name: "New draft" }).click();
  await arrived(page);
  const text = page.getByRole("textbox", { name: "The profile" });
  const before = await text.inputValue();
  await text.fill("payg_hourly: [");
  await page.getByText("Not readable").waitFor();
  await text.fill(before.replace('gpu.A100: "50"', "gpu.A100: cheap"));
  await page.getByText("1 problem").waitFor();
  await page.getByText(/line [0-9]+/).waitFor();
  await page.getByText("payg_hourly.gpu.A100").waitFor();
  // A decimal without quotes keeps its digits.
  const dearYear = before.replace('annual: "150000.00"', 'annual: "190000.00"');
  await text.fill(dearYear.replace('gpu.A100: "50"', "gpu.A100: 40.50"));
  await page.getByText("2 figures differ").waitFor();
  await page
    .getByRole("row", { name: /gpu\.A100/ })
    .getByText("−19 %")
    .waitFor();
  await page.getByText(/A year of vm\.a100x1/).waitFor();
  const name = `<b>spring</b> 春 🌱`;
  await page.getByRole("textbox", { name: "Name" }).fill(name);
  await page.getByRole("button", { name: "Save as a draft" }).click();
  await page.getByRole("heading", { level: 1, name: "<b>spring</b>" }).waitFor();

  await page.getByRole("link", { name: "Replay a month" }).click();
  await arrived(page);
  await page.getByLabel("Month").fill(month);
  await page.getByRole("button", { name: "Replay", exact: true }).click();
  await page.getByText("Customer by customer").waitFor();
  await page.getByRole("row", { name: /acme/ }).getByText("−¥19.00").waitFor();

  await page.goBack();
  await page.getByRole("button", { name: "Activate" }).click();
  await dialogButton(page, "Activate").click();
  await page.getByText("To come").first().waitFor();
  const versions = await cloud.operator.call("listPriceProfiles");
  expect(versions.items.find((each) => each.name === name)?.activeFrom).toMatch(/^20/);
  await close();
});

test("a transfer that no payment waits for is given to a customer, one that matches is booked at once", async () => {
  const { code } = await acme.client.call("createPayment", {
    body: { amount: "250.50", method: "bank_transfer" },
  });
  const { page, close } = await operator("/operate/payments");
  const record = async (reference: string, written: string): Promise<void> => {
    await page.getByRole("button", { name: "Record a transfer" }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Bank reference" }).fill(reference);
    await dialog.getByRole("textbox", { name: "Code on the transfer" }).fill(written);
    await dialog.getByRole("textbox", { name: "Amount" }).fill("250.50");
    await dialogButton(page, "Record a transfer").click();
    await dialog.waitFor({ state: "detached" });
  };
  const odd = `<i>no</i> 🦄 ${"x".repeat(150)}`;
  await record("bank-1", odd);
  await page
    .getByRole("row", { name: /bank-1/ })
    .getByText("No payment has this code")
    .waitFor();
  await record("bank-2", code);
  await page
    .getByRole("row", { name: /bank-1/ })
    .getByRole("button", { name: "Decide" })
    .click();
  await page.getByRole("radio", { name: "Give it to a customer" }).check();
  await page.getByRole("dialog").getByRole("combobox", { name: "Customer" }).click();
  await page.getByRole("option", { name: "acme" }).click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Note" }).fill("he called");
  await dialogButton(page, "Decide").click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.goto("/operate/payments?state=all");
  await page
    .getByRole("row", { name: /bank-1/ })
    .getByText("Given to a customer")
    .waitFor();
  await page
    .getByRole("row", { name: /bank-2/ })
    .getByText("Booked")
    .waitFor();

  await page.goto(`/operate/ledger?kind=top_up&account=cash&tenant=${acme.id}`);
  await arrived(page);
  await page.getByText("Payment received: bank-1").waitFor();
  await page.getByText("Payment received: bank-2").waitFor();
  await page.goto("/operate/payments?tab=payments&state=settled");
  await page.getByRole("row", { name: /acme/ }).getByRole("button", { name: "Pay back" }).click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Reason" }).fill("paid twice");
  await dialogButton(page, "Pay back").click();
  await page.getByText(/Paid back\s*¥250\.50/).waitFor();
  await close();
});

test("an invoice is taken back with a credit note, and there is no second time", async () => {
  const { page, close } = await operator(`/operate/invoices?month=${month}`);
  const row = page.getByRole("row", { name: /MR-/ });
  await row.getByRole("button", { name: "Take back" }).click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Reason" }).fill("a\nwrong price");
  await dialogButton(page, "Take back").click();
  await page.getByRole("row", { name: /CN-/ }).waitFor();
  await row.getByText("Taken back").waitFor();
  const again = row.getByRole("button", { name: "Take back" });
  expect(await again.getAttribute("aria-description")).toBe("It was taken back already");
  const { items } = await cloud.operator.call("listAllInvoices", { query: { month } });
  expect(items.map(({ kind, state, reason }) => [kind, state, reason])).toEqual([
    ["credit_note", "final", "a wrong price"],
    ["monthly", "void", null],
  ]);
  await close();
});

test("machines, usage, log, books and bills are checked, each with what it proves", async () => {
  const { page, close } = await operator(`/operate/reconciliation?month=${month}`);
  const card = (title: string) =>
    page.locator("section").filter({ has: page.getByRole("heading", { name: title }) });
  await card("The books balance").getByRole("button", { name: "Check now" }).click();
  await card("Usage against the log").getByRole("button", { name: "Check now" }).click();
  await page.getByText("Agrees").nth(2).waitFor();
  await page.getByRole("row", { name: "Sum of all accounts" }).getByText("¥0.00").waitFor();
  await page.getByText("Root hash").waitFor();
  await page.getByText("Nothing waits.").first().waitFor();
  await page.getByRole("button", { name: "Replay the bills" }).click();
  await page.getByText("1 of 1").waitFor();
  await page.getByRole("row", { name: /acme/ }).getByText("Same").waitFor();
  await shoot(page, "operate-reconciliation-checked", plainLook);
  await close();
});

const pages = [
  "/prices",
  "/prices/new",
  "/prices/replay",
  "/ledger",
  "/payments?state=all",
  "/payments?tab=payments",
  "/invoices",
  "/reconciliation",
] as const;

test("every page is accessible, fits the screen and has its words in both languages", async () => {
  const [profile] = (await cloud.operator.call("listPriceProfiles")).items;
  const paths = [
    ...pages,
    `/prices/${profile?.id ?? ""}`,
    `/prices/${profile?.id ?? ""}?tab=compare`,
  ];
  for (const look of oppositeLooks) {
    // oxlint-disable no-await-in-loop -- one browser, one page after the other
    const { page, close } = await browser.person(cloud.url, look);
    await signIn(page, cloud.key, "/operate/prices");
    for (const path of paths) {
      await page.goto(`/operate${path}`);
      await arrived(page);
      await settled(page);
      await expectAccessible(page);
      await expectNoOverflow(page);
      const shown = path.replace(/[0-9a-f-]{36}/, "one").replaceAll(/[^a-z]+/g, "-");
      await shoot(page, `operate${shown}`, look);
    }
    await close();
    // oxlint-enable no-await-in-loop
  }
});
