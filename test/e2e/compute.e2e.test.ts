/** Renting in a real browser: offers, the form, one instance with its tabs, its end, and groups. */
import { afterAll, beforeAll, expect, test } from "vitest";

import { openBrowser, oppositeLooks, type TestBrowser } from "./browser.ts";
import { startConsoleCloud, type ConsoleCloud } from "./console-cloud.ts";
import { expectWellMade } from "./look.ts";
import { signIn } from "./sign-in.ts";

let cloud: ConsoleCloud;
let browser: TestBrowser;

beforeAll(async () => {
  [cloud, browser] = await Promise.all([startConsoleCloud(), openBrowser()]);
});

afterAll(async () => {
  await browser.close();
  await cloud.close();
});

test("from an offer to a machine that runs, is stopped and released", async () => {
  const renter = await cloud.customer("renting", "1000");
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, renter.key, "/offers?kind=gpu&order=price");
  await page.getByRole("article", { name: "t4.quarter" }).waitFor();
  expect(await page.getByRole("article", { name: "small" }).count()).toBe(0);
  await page.getByRole("link", { name: "Rent t4.quarter" }).click();
  await page.getByRole("heading", { level: 1, name: "Rent an instance" }).waitFor();
  expect(await page.getByRole("radio", { name: /t4\.quarter/ }).isChecked()).toBe(true);
  await page.getByText("There is room now").waitFor();
  // Wrong at first: it is said at the field, and nothing is sent.
  const name = page.getByRole("textbox", { name: /^Name/ });
  await name.fill("<b>Web</b> 🚀");
  await page.getByText("Lower-case letters, digits and '-'; a letter first").waitFor();
  await page.getByRole("button", { name: "Rent a machine" }).click();
  expect(new URL(page.url()).pathname).toBe("/instances/new");
  await name.fill("infer");
  await page.getByRole("button", { name: "Rent a machine" }).click();
  await page.getByRole("heading", { level: 1, name: "infer" }).waitFor();
  await page.locator(".page-head").getByText("Running").waitFor();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(/the disk stays and is billed/).waitFor();
  await dialog.getByRole("button", { name: "Stop" }).click();
  await page.locator(".page-head").getByText("Stopped").waitFor();
  await page.getByRole("tab", { name: "Events" }).click();
  await page.getByText(/The machine was made/).waitFor();
  expect(new URL(page.url()).searchParams.get("tab")).toBe("events");
  await page.getByRole("tab", { name: "Console" }).click();
  const open = page.getByRole("button", { name: "Open the console" });
  expect(await open.getAttribute("aria-description")).toContain("Only a running instance");
  await page.getByRole("button", { name: "Release" }).click();
  await dialog.getByRole("button", { name: "Release" }).click();
  await page.locator(".page-head").getByText("Released").waitFor();
  await page.goto("/instances");
  await page.getByText("No instances yet").waitFor();
  await page.goto("/instances?released=shown&name=nfe");
  await page.getByRole("link", { name: "infer" }).waitFor();
  await close();
});

test("snapshots and a larger disk; a name is text, whatever is in it", async () => {
  const renter = await cloud.customer("keeping", "1000");
  const { lease } = await renter.client.call("createLease", {
    body: { name: "db", flavor: "small" },
  });
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, renter.key, `/instances/${lease.id}?tab=snapshots`);
  await page.locator(".page-head").getByText("Running").waitFor();
  await page.getByRole("button", { name: "Make a snapshot" }).click();
  const dialog = page.getByRole("dialog");
  const name = "<img src=x onerror=alert(1)> 🚀 שלום";
  await dialog.getByRole("textbox", { name: "Name" }).fill(name);
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.getByRole("row", { name }).getByText("Ready").waitFor();
  await page.getByRole("tab", { name: "Storage" }).click();
  await page.getByRole("button", { name: "Make it larger" }).click();
  await dialog.getByRole("textbox", { name: "Disk" }).fill("9");
  await dialog.getByRole("button", { name: "Resize" }).click();
  await dialog.waitFor({ state: "detached" });
  await expect
    .poll(
      async () => {
        const params = { leaseId: lease.id };
        return (await renter.client.call("getLease", { params })).flavor.diskGiB;
      },
      { timeout: 60_000 },
    )
    .toBe(9);
  await close();
});

test("a group is made, shows its members and what it decided, and is deleted by its name", async () => {
  const renter = await cloud.customer("grouping", "1000");
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, renter.key, "/groups/new?flavor=small");
  await page.getByRole("textbox", { name: /^Name/ }).fill("webs");
  await page.getByRole("textbox", { name: "Never fewer than" }).fill("2");
  await page.getByRole("button", { name: "Rent a group" }).click();
  await page.getByRole("heading", { level: 1, name: "webs" }).waitFor();
  await page.getByRole("link", { name: "webs-1" }).waitFor();
  await page.getByText("Made with 2 members").waitFor();
  await page.getByRole("button", { name: "Delete" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox").fill("webs");
  await dialog.getByRole("button", { name: "Delete" }).click();
  await page
    .locator(".page-head")
    .getByText(/Being deleted|Deleted/)
    .waitFor();
  await close();
});

test.each(oppositeLooks)("pages are well made: $language, $theme, $width px", async (look) => {
  const renter = await cloud.customer(
    `looks-${look.language.toLowerCase()}-${look.theme}-${look.width}`,
    "1000",
  );
  const { lease } = await renter.client.call("createLease", {
    body: { name: "web", flavor: "t4.quarter" },
  });
  const { id } = await renter.client.call("createGroup", {
    body: { name: "webs", flavor: "small", max: 2, targets: [{ signal: "cpu", value: 60 }] },
  });
  const { page, close } = await browser.person(cloud.url, look);
  await signIn(page, renter.key);
  const tabs = ["overview", "console", "metrics", "storage", "snapshots", "events", "cost", "api"];
  const paths = [
    ["offers", "/offers"],
    ["rent", "/instances/new?flavor=a100.1"],
    ["rent-monthly", "/instances/new?flavor=a100.1&plan=monthly"],
    ...tabs.map((tab) => [`instance-${tab}`, `/instances/${lease.id}?tab=${tab}`] as const),
    ["groups", "/groups"],
    ["group-new", "/groups/new"],
    ["group", `/groups/${id}`],
  ] as const;
  await expectWellMade(page, paths, look);
  await close();
});
