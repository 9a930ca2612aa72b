/** What goes wrong while somebody works: the server dies, the session runs out, another tab was faster. */
import { afterAll, beforeAll, expect, test } from "vitest";

import { recordSite } from "#catalog/sites.ts";
import { sql } from "#db/sql.ts";

import { openBrowser, plainLook, type TestBrowser } from "./browser.ts";
import { expectAccessible, shoot } from "./look.ts";
import { startMortalCloud } from "./mortal-cloud.ts";
import { arrived, signIn } from "./sign-in.ts";

const polled = { timeout: 120_000, interval: 200 };
const cloud = await startMortalCloud(["--simulate-gpus", "T4=8"]);
let browser: TestBrowser;
let names = 0;

beforeAll(async () => {
  browser = await openBrowser();
});

afterAll(async () => {
  await browser.close();
  await cloud.close();
});

test("the server is killed and starts again: the page says so, keeps what was typed, and goes on", async () => {
  const { client, key } = await cloud.customer(`faults-${(names += 1)}`, "1000");
  const { lease } = await client.call("createLease", { body: { name: "web", flavor: "small" } });
  const { page, context, close } = await browser.person(cloud.url);
  await signIn(page, key, `/instances/${lease.id}`);
  const head = page.locator(".page-head");
  await head.getByText("Running", { exact: true }).waitFor();
  const form = await context.newPage();
  await form.goto("/instances/new?flavor=small");
  await arrived(form);
  await form.getByText("There is room now").waitFor();
  await form.getByRole("textbox", { name: /^Name/ }).fill("kept");

  await cloud.kill();
  // Nobody touched the page: it is the broken stream of events that tells.
  await page.getByText("The server does not answer.").first().waitFor();
  await form.getByRole("button", { name: "Rent a machine" }).click();
  await form.getByText("The server does not answer", { exact: true }).first().waitFor();
  await cloud.start();

  await page.getByText("The server does not answer.").first().waitFor({ state: "detached" });
  // Live again, without a reload.
  await client.call("stopLease", { params: { leaseId: lease.id } });
  await head.getByText("Stopped", { exact: true }).waitFor();
  // The same button asks for the same effect: one machine, however often it was pressed.
  expect(await form.getByRole("textbox", { name: /^Name/ }).inputValue()).toBe("kept");
  await form.getByRole("button", { name: "Rent a machine" }).click();
  await form.getByRole("heading", { level: 1, name: "kept" }).waitFor();
  const { items } = await client.call("listLeases", { query: { name: "kept" } });
  expect(items).toHaveLength(1);
  await close();
});

test("a log of 5,000 lines is whole and in order across a restart of the server", async () => {
  const { client, key } = await cloud.customer(`faults-${(names += 1)}`, "1000");
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, key, "/jobs");
  const job = await client.call("createJob", {
    body: {
      name: "talks",
      flavor: "small",
      script: "work",
      environment: { SIMULATE_SECONDS: "30", SIMULATE_LINES: "5000" },
    },
  });
  await page.goto(`/jobs/${job.id}?tab=log`);
  const log = page.getByRole("log", { name: "Log" });
  await log
    .getByText(/^\[simulated\] line /)
    .first()
    .waitFor();
  await cloud.kill();
  await page.getByText("Connection lost, trying again").waitFor();
  await cloud.start();
  await page.getByText("End of the log").waitFor();
  // Two lines before them, one after.
  await page.getByText("5003 lines").waitFor();
  await log.getByText("line 5000 of 5000").waitFor();
  // As it was written: from its beginning, each line once.
  await log.focus();
  await page.keyboard.press("Home");
  await log.getByText("line 1 of 5000", { exact: false }).first().waitFor();
  await close();
});

test("a session that ran out leads to the sign-in page and back to where one was", async () => {
  const { client, key, id } = await cloud.customer(`faults-${(names += 1)}`, "1000");
  await client.call("createLease", { body: { name: "web-1", flavor: "small" } });
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, key, "/instances?state=running&name=web");
  await page.getByRole("link", { name: "web-1" }).waitFor();
  await cloud.db.execute(
    sql`update session set expires_at = now() - interval '1 hour' where tenant_id = ${id}`,
  );
  await page.getByRole("textbox", { name: "Name" }).fill("web-");
  await page.getByText("Your session ended").waitFor();
  await page.locator("input[type=password]").fill(key);
  await page.locator("button[type=submit]").click();
  await page.getByRole("link", { name: "web-1" }).waitFor();
  const { pathname, searchParams } = new URL(page.url());
  expect([pathname, searchParams.get("state"), searchParams.get("name")]).toEqual([
    "/instances",
    "running",
    "web-",
  ]);
  await close();
});

test("two tabs change one thing: the second is told, and nothing is done twice", async () => {
  const { client, key } = await cloud.customer(`faults-${(names += 1)}`, "1000");
  const { lease } = await client.call("createLease", { body: { name: "web", flavor: "small" } });
  const { page: first, context, close } = await browser.person(cloud.url);
  await signIn(first, key, `/instances/${lease.id}`);
  await first.locator(".page-head").getByText("Running", { exact: true }).waitFor();
  const second = await context.newPage();
  await second.goto(`/instances/${lease.id}`);
  await second.getByRole("button", { name: "Stop", exact: true }).click();
  const dialog = second.getByRole("dialog");
  await dialog.getByText("Stop 1 instance?").waitFor();
  await first.getByRole("button", { name: "Release" }).click();
  await first.getByRole("dialog").getByRole("button", { name: "Release" }).click();
  await first.locator(".page-head").getByText("Released").waitFor();
  // What the second was about to confirm is no longer there to be done, and says so.
  await dialog.getByText(/web: Only a running instance/).waitFor();
  const stop = dialog.getByRole("button", { name: "Stop" });
  expect(await stop.getAttribute("aria-disabled")).toBe("true");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await second.locator(".page-head").getByText("Released").waitFor();

  // The second has not heard of the change yet when it sends its own: the server tells it.
  const made = await client.call("createLease", { body: { name: "db", flavor: "small" } });
  await second.goto(`/instances/${made.lease.id}`);
  await second.locator(".page-head").getByText("Running", { exact: true }).waitFor();
  await second.getByRole("button", { name: "Reboot" }).click();
  await dialog.getByText("Reboot 1 instance?").waitFor();
  await second.route("**/v1/leases/**", (route) =>
    route.request().method() === "GET" ? undefined : route.continue(),
  );
  await client.call("releaseLease", { params: { leaseId: made.lease.id } });
  await expect
    .poll(async () => {
      const params = { leaseId: made.lease.id };
      return (await client.call("getLease", { params })).state;
    }, polled)
    .toBe("released");
  await dialog.getByRole("button", { name: "Reboot" }).click();
  await dialog.getByText("Not possible in this state").waitFor();
  await dialog.getByText("It may have changed meanwhile").waitFor();
  await close();
});

test("a site that nobody has seen for long is retired by its operator, and is in no list any more", async () => {
  const said = { kind: "kubevirt", version: "v1.9.0", execution: "kvm" } as const;
  const old = { site: "old-rack", ...said, executionReason: "", capabilities: {} };
  await recordSite(cloud.db, old, Date.now() - 3_600_000);
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, cloud.key, "/operate/platforms");
  await page.getByText("Away: not seen since").waitFor();
  await page.getByRole("button", { name: "Retire" }).click();
  const dialog = page.getByRole("dialog", { name: "Retire old-rack" });
  await expectAccessible(page);
  await shoot(page, "operate-site-retire", plainLook);
  await dialog.getByRole("textbox").fill("old-rack");
  await dialog.getByRole("button", { name: "Retire" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText("old-rack").first().waitFor({ state: "detached" });
  expect((await cloud.operator.call("getSystem")).sites.map(({ site }) => site)).not.toContain(
    "old-rack",
  );
  await close();
});
