/**
 * Money in a real browser: top up, buy a package, read the bill down to a proof that the browser itself
 * checks, and a bill whose bundle somebody changed by one digit.
 */
import { afterAll, beforeAll, expect, test } from "vitest";

import { openBrowser, pairedLooks, plainLook, type TestBrowser } from "./browser.ts";
import { startConsoleCloud, type ConsoleCloud, type Customer } from "./console-cloud.ts";
import { expectAccessible, expectWellMade, shoot } from "./look.ts";
import { arrived, signIn } from "./sign-in.ts";

let cloud: ConsoleCloud;
let browser: TestBrowser;
let payer: Customer;

beforeAll(async () => {
  const flags = ["--local", "off", "--simulate-gpus", "A100=4,T4=8", "--test-payments", "on"];
  [cloud, browser] = await Promise.all([startConsoleCloud(flags), openBrowser()]);
  payer = await cloud.customer("payer", "2000");
});

afterAll(async () => {
  await browser.close();
  await cloud.close();
});

test("a test payment tops up, a bank transfer says what to write on it", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, payer.key, "/billing");
  await page.getByRole("button", { name: "Top up" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Amount").fill("ten");
  await dialog.getByText("Enter an amount such as 100 or 12.50").first().waitFor();
  await dialog.getByLabel("Amount").fill("250.50");
  await dialog.getByRole("radio", { name: "Test payment" }).check();
  await dialog.getByRole("button", { name: "Go on" }).click();
  await page
    .getByRole("row", { name: /250\.50/ })
    .getByText("Arrived")
    .waitFor();
  await page.getByRole("button", { name: "Top up" }).first().click();
  await dialog.getByLabel("Amount").fill("5000");
  await dialog.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("button", { name: "How to pay" }).click();
  await dialog.getByText("Write this code on the transfer:").waitFor();
  await close();
  const { available } = await payer.client.call("getBalance");
  expect(available).toBe("2250.50");
});

test("a package is bought at the price that was shown, and given back", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, payer.key, "/billing?tab=packages");
  await page.getByRole("button", { name: "Buy" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("List price").waitFor();
  await dialog.getByRole("button", { name: "Pay from the balance" }).click();
  const row = page.getByRole("row", { name: /P1000/ });
  await row.getByText("Usable").waitFor();
  await row.getByRole("button", { name: "Give back" }).click();
  await dialog.getByRole("button", { name: "Give back" }).click();
  await row.getByText("Given back", { exact: true }).waitFor();
  await close();
});

test("a line of the bill opens its events; the browser checks an event's proof, and the whole bill", async () => {
  const { date, sku } = await usedSomething(payer);
  const month = date.slice(0, 7);
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, payer.key, `/billing/usage?at=${date}`);
  await page.getByRole("button", { name: sku }).first().click();
  const drawer = page.getByRole("dialog");
  await drawer.getByRole("button", { name: "Proof" }).first().click();
  await drawer.getByText("Checked by this browser: the event is in the signed log").waitFor();
  await shoot(page, "billing-line", plainLook);

  await page.goto(`/billing/verify?month=${month}`);
  await arrived(page);
  await page.getByRole("button", { name: "Check this bill" }).click();
  await page.getByText(`Proved: ${month}`).waitFor();
  expect(await page.locator("[data-step]").getByText("Passed").count()).toBe(8);
  await expectAccessible(page);
  await shoot(page, "billing-verified", plainLook);

  const bundle = await bundleOf(payer, month);
  // A digit of the first event.
  const changed = bundle.replace(
    /(\n\{"event":[^\n]*?"units":")([0-8])/,
    (_all, start: string, digit: string) => `${start}${Number(digit) + 1}`,
  );
  expect(changed).not.toBe(bundle);
  await page.locator("input[type=file]").setInputFiles({
    name: "changed.bundle",
    mimeType: "application/octet-stream",
    buffer: Buffer.from(changed),
  });
  await page.getByText(/Not proved: changed\.bundle/).waitFor();
  const step = page.locator("[data-step=inclusion]");
  await step.getByText("Failed").waitFor();
  await step.getByText("event_changed").first().waitFor();
  await step
    .getByText(/leaf [0-9]+/)
    .first()
    .waitFor();

  // A signature of another key's holder: one letter of the first checkpoint's last line.
  const forged = bundle.replace(
    /(\u2014 \S+ [A-Za-z0-9+/]{20})([A-Za-z0-9])/,
    (_all, start: string, letter: string) => `${start}${letter === "A" ? "B" : "A"}`,
  );
  expect(forged).not.toBe(bundle);
  await page.locator("input[type=file]").setInputFiles({
    name: "forged.bundle",
    mimeType: "application/octet-stream",
    buffer: Buffer.from(forged),
  });
  await page.getByText(/Not proved: forged\.bundle/).waitFor();
  await page.locator("[data-step=signature]").getByText("Failed").waitFor();
  await close();
});

test("a statement is saved as a file in the language that was chosen", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, payer.key, "/billing/statements");
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "PDF" }).click(),
  ]);
  expect(file.suggestedFilename()).toMatch(/\.pdf$/);
  await close();
});

test("who may only look is told why he may not pay", async () => {
  const { page, close } = await browser.person(cloud.url);
  const viewer = await payer.client.call("createUser", {
    body: { name: "looker", role: "viewer" },
  });
  const key = await payer.client.call("createApiKey", {
    body: { name: "looker", userId: viewer.id },
  });
  await signIn(page, key.secret, "/billing");
  const button = page.getByRole("button", { name: "Top up" }).first();
  expect(await button.getAttribute("aria-disabled")).toBe("true");
  expect(await button.getAttribute("aria-description")).toContain("Your role may not do this");
  await close();
});

test.each(pairedLooks)(
  "the pages of money are well made: $language, $theme, $width px",
  async (look) => {
    const person = await browser.person(cloud.url, look);
    const { page } = person;
    await signIn(page, payer.key);
    await expectWellMade(page, pages, look);
    await person.close();
  },
);

const pages = [
  ["billing", "/billing"],
  ["billing-payments", "/billing?tab=payments"],
  ["billing-packages", "/billing?tab=packages"],
  ["billing-subscriptions", "/billing?tab=subscriptions"],
  ["billing-services", "/billing?tab=services"],
  ["billing-prices", "/billing?tab=prices"],
  ["billing-agreements", "/billing?tab=agreements"],
  ["billing-usage", "/billing/usage"],
  ["billing-statements", "/billing/statements"],
  ["billing-invoices", "/billing/statements?tab=invoices"],
  ["billing-journals", "/billing/statements?tab=journals"],
  ["billing-verify", "/billing/verify"],
  ["notices", "/notices"],
] as const;

/** Rents a machine and gives it back, until the bill has a line whose events the log has signed. */
async function usedSomething({ client }: Customer): Promise<{ date: string; sku: string }> {
  const { lease } = await client.call("createLease", { body: { name: "used", flavor: "small" } });
  const params = { leaseId: lease.id };
  await expect
    .poll(async () => (await client.call("getLease", { params })).state, waiting)
    .toBe("running");
  await client.call("releaseLease", { params });
  const logged = async (): Promise<{ date: string; sku: string } | undefined> => {
    const { lines } = await client.call("getStatement");
    const line = lines.find(({ kind }) => kind === "usage");
    if (line === undefined) return undefined;
    const { date, sku } = line;
    const { events, checkpoint } = await client.call("explainLine", { params: { date, sku } });
    const isLogged = checkpoint !== null && events.some(({ leaf }) => leaf !== null);
    return isLogged ? { date, sku } : undefined;
  };
  await expect.poll(logged, waiting).toBeDefined();
  const line = await logged();
  if (line === undefined) throw new Error("the line is gone again");
  return line;
}

const waiting = { timeout: 120_000, interval: 500 };

async function bundleOf({ key }: Customer, month: string): Promise<string> {
  const response = await fetch(`${cloud.url}/v1/bundles/${month}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  expect(response.status).toBe(200);
  return response.text();
}
