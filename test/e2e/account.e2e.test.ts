/** The account in a real browser: users, keys, projects, quota, audit. */
import { afterAll, beforeAll, expect, test } from "vitest";

import { openBrowser, oppositeLooks, type TestBrowser } from "./browser.ts";
import { startConsoleCloud, type ConsoleCloud, type Customer } from "./console-cloud.ts";
import { expectAccessible, expectNoOverflow, shoot } from "./look.ts";
import { arrived, settled, signIn } from "./sign-in.ts";

let cloud: ConsoleCloud;
let browser: TestBrowser;
let customer: Customer;

/** Names that would break a page which took them for more than text. */
const oddName = `<img src=x onerror="document.title='broken'"> 🦄 \u202Eשלום`;
const pages = ["team", "ssh-keys", "api-keys", "quota", "audit", "profile"] as const;
const publicKey =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBvYAcNw5lIO9L7yx4ZKxRgMoI1lXyvK7bO3tGqj0a1X li@laptop";

beforeAll(async () => {
  [cloud, browser] = await Promise.all([startConsoleCloud(), openBrowser()]);
  customer = await cloud.customer("acme", "1000");
  await customer.client.call("createUser", { body: { name: oddName, role: "viewer" } });
});

afterAll(async () => {
  await browser.close();
  await cloud.close();
});

test("an administrator adds a user, whose link signs him in with a password of his own", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, customer.key, "/team");
  await page.getByText("<img src=x").waitFor();
  await page.getByRole("button", { name: "Add a user" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Name" }).fill("Wang Fang");
  await dialog.getByRole("textbox", { name: "E-mail" }).fill("wang@example.org");
  await dialog.getByRole("radio", { name: "Viewer" }).check();
  await dialog.getByRole("button", { name: "Add a user" }).click();
  await page.getByRole("dialog", { name: "Send this link" }).waitFor();
  const link = await page.locator("[role=dialog] code").first().innerText();
  expect(await page.title()).toBe("Team · Millrace");
  await close();

  const invited = await browser.person(cloud.url);
  await invited.page.goto(link);
  const fields = invited.page.locator("input[type=password]");
  await fields.nth(0).fill("correct horse battery");
  await fields.nth(1).fill("correct horse battery");
  await invited.page.locator("button[type=submit]").click();
  await arrived(invited.page);
  await invited.page.goto("/api-keys");
  await arrived(invited.page);
  // What a viewer may not do says so, and does nothing.
  const make = invited.page.getByRole("button", { name: "Make a key" }).first();
  expect(await make.getAttribute("aria-disabled")).toBe("true");
  expect(await make.getAttribute("aria-description")).toBe("Your role may not change keys.");
  await invited.close();
});

test("an API key is shown once, works, and is refused when it is revoked", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, customer.key, "/api-keys");
  await page.getByRole("button", { name: "Make a key" }).first().click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Name" }).fill("pipeline");
  await page.getByRole("radio", { name: "Look only" }).check();
  await page.getByRole("dialog").getByRole("button", { name: "Make a key" }).click();
  await page.getByText("Copy it now").waitFor();
  const secret = await page.locator("[role=dialog] code").first().innerText();
  expect(secret).toMatch(/^mrk_/);
  const asKey = (): Promise<Response> =>
    fetch(`${cloud.url}/v1/whoami`, { headers: { authorization: `Bearer ${secret}` } });
  expect((await asKey()).status).toBe(200);
  await page.getByRole("button", { name: "I have copied it" }).click();
  await page.getByRole("button", { name: "Revoke the key pipeline" }).click();
  expect(await page.content()).not.toContain(secret);
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await page
    .getByRole("button", { name: "Revoke the key pipeline" })
    .waitFor({ state: "detached" });
  expect((await asKey()).status).toBe(401);
  await close();
});

test("an SSH key is added, named by itself; a private one is refused before it is sent", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, customer.key, "/ssh-keys");
  await page.getByRole("button", { name: "Add a key" }).first().click();
  const dialog = page.getByRole("dialog");
  const field = dialog.getByRole("textbox", { name: "Public key" });
  await field.fill("-----BEGIN OPENSSH PRIVATE KEY-----");
  await dialog.getByText("This is the private key").waitFor();
  await field.fill(publicKey);
  expect(await dialog.getByRole("textbox", { name: "Name" }).inputValue()).toBe("li@laptop");
  await dialog.getByRole("button", { name: "Add a key" }).click();
  await page.getByText("SHA256:").waitFor();
  await close();
});

test("more quota is asked for, and a long text does no harm", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, customer.key, "/quota");
  await page.getByRole("button", { name: "Ask for more" }).click();
  const dialog = page.getByRole("dialog");
  const demand = dialog.getByRole("textbox", { name: "What you need" });
  await demand.fill("x".repeat(10_000));
  expect((await demand.inputValue()).length).toBeLessThanOrEqual(10_000);
  await demand.fill(`8 × A100 <b>for</b> a month 🦄\n${"y".repeat(2000)}`);
  await dialog.getByRole("textbox", { name: "Budget" }).fill("20000");
  await dialog.getByRole("textbox", { name: "How to reach you" }).fill("li@example.org");
  await dialog.getByRole("button", { name: "Send" }).click();
  await page.getByText("8 × A100 <b>for</b> a month").waitFor();
  await expectNoOverflow(page);
  await page.getByRole("button", { name: "Withdraw" }).click();
  await page.getByText("Withdrawn").waitFor();
  await close();
});

test("a project is made, limited and deleted; the audit log tells who did it, with the request", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, customer.key, "/team?tab=projects");
  await page.getByRole("button", { name: "Add a project" }).click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Name" }).fill("research");
  await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
  await page.getByRole("button", { name: "Actions for research" }).click();
  await page.getByRole("menuitem", { name: "Set limits" }).click();
  await page.getByRole("dialog").getByRole("textbox", { name: "At one time" }).fill("4");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByText("All GPUs: 4 at one time").waitFor();
  await page.getByRole("button", { name: "Actions for research" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Actions for research" }).waitFor({ state: "detached" });
  await page.goto("/audit?action=project.delete");
  await arrived(page);
  await page.getByRole("button", { name: "Details of project.delete" }).click();
  await page.getByRole("dialog").getByText("Request id").waitFor();
  await page.goto("/audit?actor=nobody-of-that-name");
  await arrived(page);
  await page.getByText("Nothing matches the filters").waitFor();
  await close();
});

test("every page is accessible, fits the screen and has its words in both languages", async () => {
  const admin = customer.key;
  for (const look of oppositeLooks) {
    // oxlint-disable no-await-in-loop -- one browser, one page after the other
    const { page, close } = await browser.person(cloud.url, look);
    await signIn(page, admin, "/team");
    for (const name of pages) {
      await page.goto(`/${name}`);
      await arrived(page);
      await settled(page);
      await expectAccessible(page);
      await expectNoOverflow(page);
      await shoot(page, `account-${name}`, look);
    }
    await close();
    // oxlint-enable no-await-in-loop
  }
});
