/**
 * Selling to people, in a real browser: a customer is opened, looked after, acted for, suspended;
 * applications, services, agreements, revenue.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { createClient, type Client } from "#client/client.ts";

import { openBrowser, oppositeLooks, type TestBrowser } from "./browser.ts";
import { startConsoleCloud, type ConsoleCloud, type Customer } from "./console-cloud.ts";
import { expectAccessible, expectNoOverflow, shoot } from "./look.ts";
import { arrived, signIn } from "./sign-in.ts";

let cloud: ConsoleCloud;
let browser: TestBrowser;
let acme: Customer;
/** The operator, for acme. */
let forAcme: Client;

beforeAll(async () => {
  [cloud, browser] = await Promise.all([startConsoleCloud(), openBrowser()]);
  acme = await cloud.customer("acme", "20000");
  forAcme = createClient({ baseUrl: cloud.url, credential: cloud.key, tenant: acme.id });
  await acme.client.call("createLease", { body: { name: "web-1", flavor: "small" } });
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

test("a customer is opened: his name is only text, the key is shown once, filters are in the address", async () => {
  const { page, close } = await operator("/operate/customers");
  await page.getByRole("button", { name: "New customer" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Account name" }).fill("Nile-Labs");
  const name = `<img src=x onerror="document.title='broken'"> مختبرات النيل 🐊`;
  await dialog.getByRole("textbox", { name: "Display name" }).fill(name);
  await dialogButton(page, "Create").click();
  await page
    .getByText(/^mrk_[0-9a-zA-Z_-]+$/)
    .first()
    .waitFor();
  await dialogButton(page, "I have copied it").click();
  await page.getByRole("link", { name: "مختبرات النيل" }).waitFor();
  expect(await page.title()).not.toBe("broken");

  await page.getByRole("textbox", { name: "Name has" }).fill("ACME");
  await page.getByRole("link", { name: "مختبرات النيل" }).waitFor({ state: "detached" });
  await page.getByRole("link", { name: "acme" }).waitFor();
  expect(new URL(page.url()).searchParams.get("name")).toBe("ACME");
  await page.reload();
  await page.getByRole("link", { name: "acme" }).waitFor();
  await page.getByRole("combobox", { name: "Tier" }).click();
  await page.getByRole("option", { name: "Diamond" }).click();
  await page.getByText("Nothing matches the filters").waitFor();
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.getByRole("link", { name: "مختبرات النيل" }).waitFor();
  await close();
});

test("a tier by hand has its reason and its end, and is ended", async () => {
  const { page, close } = await operator(`/operate/customers/${acme.id}`);
  await page.getByRole("heading", { level: 1, name: "acme" }).waitFor();
  await page.getByRole("tab", { name: "Tier" }).click();
  await page.getByRole("button", { name: "Set the tier by hand" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("radio", { name: "Diamond" }).check();
  await dialog.getByRole("textbox", { name: "Why" }).fill("Launch partner");
  await dialogButton(page, "Save").click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText("Launch partner").waitFor();
  expect((await acme.client.call("getTier")).tier).toBe("diamond");
  await page.getByRole("button", { name: "End the tier by hand" }).click();
  await dialogButton(page, "End the tier by hand").click();
  await page.getByText("Launch partner").waitFor({ state: "detached" });
  expect((await acme.client.call("getTier")).override).toBeNull();
  await close();
});

test("money that came in is recorded, and the ledger has it", async () => {
  const { page, close } = await operator(`/operate/customers/${acme.id}?tab=money`);
  await page.getByRole("button", { name: "Top up" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Amount" }).fill("5000");
  await dialog.getByRole("radio", { name: "Record a payment received" }).check();
  await dialog.getByRole("textbox", { name: "Reference" }).fill("bank 4711");
  await dialogButton(page, "Record it").click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText("bank 4711").waitFor();
  await close();
});

test("a quota and a price of his own", async () => {
  const { page, close } = await operator(`/operate/customers/${acme.id}?tab=limits`);
  const dialog = page.getByRole("dialog");
  // Another one than it is, also when this is tried again.
  const { limits } = await acme.client.call("getQuota");
  const leases = limits.leases + 1;
  await page.getByRole("button", { name: "Change the quota" }).click();
  await dialog.getByRole("textbox", { name: "Instances" }).fill(String(leases));
  await dialogButton(page, "Save").click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText(new RegExp(`of ${leases}$`)).waitFor();

  await page.getByRole("tab", { name: "Agreed prices" }).click();
  await page.getByRole("button", { name: "Agree a price" }).click();
  await dialog.getByRole("combobox", { name: "What" }).fill("gpu.A100");
  await page.getByRole("option", { name: "gpu.A100", exact: true }).click();
  await dialog.getByText(/^Now ¥/).waitFor();
  await dialog.getByRole("textbox", { name: "Price" }).fill("41.5");
  await dialog.getByRole("textbox", { name: "Why" }).fill("Contract 114");
  await dialogButton(page, "Save").click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText("Contract 114").waitFor();
  expect((await acme.client.call("listContractPrices")).items).toMatchObject([{ price: "41.5" }]);
  await close();
});

test("whoever acts for a customer sees so on every page, sees his things, and leaves to where he came from", async () => {
  const { page, close } = await operator(`/operate/customers/${acme.id}?tab=work`);
  await page.getByRole("button", { name: "web-1" }).click();
  const banner = page.getByText("You act for acme");
  await banner.waitFor();
  await page.getByRole("heading", { level: 1, name: "web-1" }).waitFor();
  for (const path of ["/instances", "/billing", "/team", "/operate/customers"]) {
    // oxlint-disable no-await-in-loop -- one page after the other
    await page.goto(path);
    await arrived(page);
    await banner.waitFor();
    // oxlint-enable no-await-in-loop
  }
  await page.goto("/instances");
  await page.getByRole("link", { name: "web-1" }).waitFor();
  await page.getByRole("button", { name: "Act as yourself again" }).click();
  await page.getByRole("heading", { level: 1, name: "acme" }).waitFor();
  await banner.waitFor({ state: "detached" });
  await page.goto("/instances");
  await arrived(page);
  expect(await page.getByRole("link", { name: "web-1" }).count()).toBe(0);
  await close();
});

test("suspending says first what stops; ending it starts nothing", async () => {
  const { page, close } = await operator(`/operate/customers/${acme.id}`);
  await page.getByRole("button", { name: "Suspend" }).click();
  await page.getByRole("dialog").getByText("web-1").waitFor();
  await dialogButton(page, "Suspend").click();
  await page.getByRole("button", { name: "End the suspension" }).click();
  expect(
    (await cloud.operator.call("listCustomers", { query: { state: "suspended" } })).items,
  ).toMatchObject([{ name: "acme" }]);
  await page.getByRole("dialog").getByText("Nothing starts by itself").waitFor();
  await dialogButton(page, "End the suspension").click();
  await page.getByRole("button", { name: "Suspend" }).waitFor();
  await close();
});

test("an application of 4,000 characters in two directions is read and rated", async () => {
  const demand = `${"GPU ".repeat(900)}\n<b>نحتاج</b> 🦄`;
  const body = { company: "Acme <b>& Sons</b>", scale: "11-50", demand } as const;
  await acme.client.call("submitApplication", {
    body: { ...body, monthlyBudget: "15000", contact: "li@acme.example" },
  });
  const { page, close } = await operator("/operate/applications");
  await page.getByRole("button", { name: "Rate" }).click();
  const dialog = page.getByRole("dialog", { name: "Application of Acme <b>& Sons</b>" });
  await dialog.getByText("<b>نحتاج</b>").waitFor();
  await dialog.getByRole("radio", { name: "Gold" }).check();
  await dialog.getByRole("textbox", { name: "Why" }).fill("Steady demand");
  await dialog.getByRole("button", { name: "Rate", exact: true }).click();
  await page.getByText("No application waits").waitFor();
  expect((await acme.client.call("listApplications")).items).toMatchObject([
    { state: "rated", initialRating: "gold", note: "Steady demand" },
  ]);
  await close();
});

test("a service is offered within the price list, accepted by the customer, and finished", async () => {
  // What an earlier try left.
  for (const { id, state } of (await acme.client.call("listServices")).items) {
    if (state !== "asked" && state !== "offered") continue;
    // oxlint-disable-next-line no-await-in-loop -- rarely any
    await acme.client.call("cancelService", { params: { serviceId: id } });
  }
  const asked = await acme.client.call("orderService", {
    body: { kind: "model_optimization", description: "Twice the throughput" },
  });
  const { page, close } = await operator("/operate/services");
  await page.getByRole("button", { name: "Make an offer" }).click();
  await page.getByRole("dialog").getByText("Twice the throughput").waitFor();
  await page.getByRole("dialog").getByRole("textbox", { name: "Amount" }).fill("8000");
  await dialogButton(page, "Make an offer").click();
  await page.getByText("Nothing is to be done").waitFor();
  await acme.client.call("acceptService", {
    params: { serviceId: asked.id },
    body: { expectedAmount: "8000.00" },
  });
  await page.reload();
  await page.getByRole("button", { name: "Finish" }).click();
  await page.getByRole("dialog").getByRole("textbox").fill("Quantized, 1,900 tokens per second");
  await dialogButton(page, "Finish").click();
  await page.getByText("Nothing is to be done").waitFor();
  expect(
    (await acme.client.call("getService", { params: { serviceId: asked.id } })).optimizationsLeft,
  ).toBe(0);
  await close();
});

test("an agreement is published in both languages, and a customer's page says who accepted it", async () => {
  const { page, close } = await operator("/operate/agreements");
  await page.getByRole("button", { name: "New version" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Version" }).fill("2026-11");
  const long = "The parties agree. ".repeat(600);
  await dialog.getByRole("textbox", { name: "Text in English" }).fill(long);
  await dialog.getByRole("textbox", { name: "Text in Chinese" }).fill("双方同意。".repeat(2000));
  await dialogButton(page, "Publish").click();
  await page.getByText("Service agreement 2026-11").waitFor();
  const [agreement] = (await acme.client.call("listAgreements")).items;
  const { id: agreementId = "", sha256 = "" } = agreement ?? {};
  await acme.client.call("acceptAgreement", { params: { agreementId }, body: { sha256 } });
  await page.goto(`/operate/customers/${acme.id}?tab=agreements`);
  await page.getByRole("row", { name: /Service agreement 2026-11 Accepted/ }).waitFor();
  await close();
});

test("revenue has today beside the months, and the overview leads there", async () => {
  // Once the rater has looked at the machine that runs.
  const month = await vi.waitFor(
    async () => {
      const last = (await cloud.operator.call("getRevenue")).months.at(-1);
      if (last === undefined) throw new Error("Nothing is rated yet.");
      return last.month;
    },
    { timeout: 180_000, interval: 500 },
  );
  const { page, close } = await operator("/operate");
  await page
    .getByText(/^Today \(/)
    .first()
    .waitFor();
  await page.getByRole("link", { name: "Revenue" }).first().click();
  await page.getByRole("heading", { level: 1, name: "Revenue" }).waitFor();
  await page.getByText(`This month (${month})`).waitFor();
  await page.getByRole("rowheader", { name: month }).first().waitFor();
  await close();
});

test("a customer is found from the keyboard on any page, also by who presses Enter before he is found", async () => {
  const { page, close } = await operator("/operate");
  const isThere = page.getByRole("heading", { level: 1, name: "acme" });
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").getByRole("textbox").waitFor();
  await page.keyboard.type("acm");
  await page.keyboard.press("Enter");
  await isThere.waitFor();

  await page.goto("/operate");
  await arrived(page);
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").getByRole("textbox").fill("acm");
  await page.getByRole("option", { name: "acme Customer" }).waitFor();
  await page.keyboard.press("Enter");
  await isThere.waitFor();
  await close();
});

test("a customer's administrator is told that these pages are not his", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, acme.key, "/operate/customers");
  await page.getByText("platform.read").waitFor();
  expect(await page.getByRole("link", { name: "Applications" }).count()).toBe(0);
  await close();
});

const tabs = ["tier", "limits", "users", "money", "prices", "agreements", "review", "work"];

test.each(oppositeLooks)(
  "every page is accessible and fits: $language, $theme, $width px",
  async (look) => {
    const until = new Date(Date.now() + 86_400_000).toISOString();
    await forAcme.call("overrideTier", {
      body: { tier: "gold", reason: "trial", approvedBy: "Li", until },
    });
    const { page, close } = await browser.person(cloud.url, look);
    await signIn(page, cloud.key, "/operate/customers");
    for (const path of [
      "customers",
      `customers/${acme.id}`,
      ...tabs.map((each) => `customers/${acme.id}?tab=${each}`),
      "customer-tasks",
      "applications?state=all",
      "services?state=all",
      "agreements",
      "revenue",
    ]) {
      // oxlint-disable no-await-in-loop -- one browser, one page after the other
      await page.goto(`/operate/${path}`);
      await arrived(page);
      await expectAccessible(page);
      await expectNoOverflow(page);
      const name = path.replace(acme.id, "one").replaceAll(/[^a-z]+/g, "-");
      await shoot(page, `operate-${name}`, look);
      // oxlint-enable no-await-in-loop
    }
    await close();
  },
);
