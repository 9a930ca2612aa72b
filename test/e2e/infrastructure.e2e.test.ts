/** The operator's machines in a real browser: hosts, maintenance, sick GPUs, pools, the catalog. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { openBrowser, oppositeLooks, plainLook, type TestBrowser } from "./browser.ts";
import { startConsoleCloud, type ConsoleCloud, type Customer } from "./console-cloud.ts";
import { expectAccessible, expectNoOverflow, shoot } from "./look.ts";
import { arrived, signIn } from "./sign-in.ts";

const polled = { timeout: 120_000, interval: 300 };
let cloud: ConsoleCloud;
let browser: TestBrowser;
let customer: Customer;
let hostId: string;

const pages = [
  "",
  "/alerts",
  "/hosts",
  "/hosts?tab=places",
  "/pools",
  "/catalog",
  "/catalog?tab=images",
  "/platforms",
  "/orphans",
  "/idle",
  "/idle?tab=report",
  "/usage-reviews",
  "/system",
] as const;

beforeAll(async () => {
  [cloud, browser] = await Promise.all([startConsoleCloud(), openBrowser()]);
  customer = await cloud.customer("acme", "10000");
  const offers = await cloud.operator.call("listOffers");
  const offer = offers.items.find(({ flavor, freeNow }) => flavor.gpu !== null && freeNow > 0);
  if (offer === undefined) throw new Error("There is no GPU to rent.");
  const { gpu } = offer.flavor;
  const forThem = { "Millrace-Tenant": customer.id };
  await fetch(`${cloud.url}/v1/quota`, {
    method: "PATCH",
    headers: {
      authorization: `Bearer ${cloud.key}`,
      "content-type": "application/json",
      ...forThem,
    },
    body: JSON.stringify({ gpus: { [gpu?.model ?? ""]: 8 }, vcpus: 500, memoryMiB: 4_000_000 }),
  });
  await customer.client.call("createLease", {
    body: { name: "train-1", flavor: offer.flavor.name },
  });
  await vi.waitFor(
    async () => {
      const state = (await customer.client.call("listLeases")).items[0]?.state;
      if (state !== "running") throw new Error(`The lease is ${state ?? "not there"}.`);
    },
    { timeout: 120_000, interval: 300 },
  );
  const hosts = await cloud.operator.call("listHosts");
  const used = hosts.items.find((host) => host.gpus.some((each) => each.used > 0));
  if (used === undefined) throw new Error("The lease is on no host.");
  hostId = used.id;
});

afterAll(async () => {
  await browser.close();
  await cloud.close();
});

test("the overview says what is in use and leads to the host that has it", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, cloud.key, "/operate");
  await page
    .getByText(/of [0-9]+ in use/)
    .first()
    .waitFor();
  await page.getByRole("link", { name: "Hosts" }).last().click();
  await arrived(page);
  await page.getByRole("heading", { level: 1, name: "Hosts" }).waitFor();
  await close();
});

test("a host goes into maintenance: first one sees what would move and what not, and it comes back", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, cloud.key, `/operate/hosts/${hostId}`);
  await page.getByText("train-1").first().waitFor();
  await page.getByRole("button", { name: "Begin maintenance" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("1 instance cannot move: its disk is here").waitFor();
  await dialog.getByText("train-1").waitFor();
  await shoot(page, "operate-maintenance", plainLook);
  await dialog.getByRole("button", { name: "Begin maintenance" }).click();
  await page.getByRole("button", { name: "Take work again" }).waitFor();
  await page.locator(".page-head").getByText("In maintenance").waitFor();
  expect(await cloud.operator.call("getHost", { params: { hostId } })).toMatchObject({
    schedulable: false,
    maintenance: true,
  });
  await expect
    .poll(
      async () => (await customer.client.call("listNotices")).items.map(({ kind }) => kind),
      polled,
    )
    .toContain("lease_host_maintenance");
  await page.getByRole("button", { name: "Take work again" }).click();
  await page.getByRole("button", { name: "Begin maintenance" }).waitFor();
  await close();
});

test("a GPU is called sick with a reason that is only text, and healthy again", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, cloud.key, `/operate/hosts/${hostId}`);
  await page.getByRole("button", { name: "Call it sick" }).first().click();
  const note = `<script>document.title='broken'</script> ECC 🦄`;
  await page.getByRole("dialog").getByRole("textbox", { name: "Note" }).fill(note);
  await page.getByRole("dialog").getByRole("button", { name: "Call it sick" }).click();
  await page.getByText("<script>document").waitFor();
  expect(await page.title()).not.toBe("broken");
  await page.getByRole("button", { name: "Call it healthy" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Call it healthy" }).click();
  await page.getByText("says the operator").waitFor({ state: "detached" });
  await close();
});

test("a pool is made from a preset, changed against its rules with the reason, and deleted", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, cloud.key, "/operate/pools");
  await page.getByRole("button", { name: "Add a pool" }).first().click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Name" }).fill("journey");
  await page.getByRole("radio", { name: "High end" }).check();
  await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
  const menu = page.getByRole("button", { name: "Actions for journey" });
  await menu.click();
  await page.getByRole("menuitem", { name: "Change" }).click();
  await page.getByRole("textbox", { name: "Slices of a device at most" }).fill("4");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByText("an exclusive pool sells whole devices only").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await menu.click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await menu.waitFor({ state: "detached" });
  await close();
});

test("the log is checked, platforms say what they can, rules for idleness are set", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, cloud.key, "/operate/system");
  await page.getByRole("button", { name: "Check now" }).click();
  await page.getByText("All is well").waitFor();
  await page.goto("/operate/platforms");
  await arrived(page);
  await page.getByRole("row", { name: /Serial console/ }).waitFor();
  await page.goto("/operate/idle");
  await arrived(page);
  await page.getByRole("button", { name: "Add a rule" }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByText("after 72 h unused, and 48 h after a warning").waitFor();
  await close();
});

test("every page is accessible, fits the screen and has its words in both languages", async () => {
  for (const look of oppositeLooks) {
    // oxlint-disable no-await-in-loop -- one browser, one page after the other
    const { page, close } = await browser.person(cloud.url, look);
    await signIn(page, cloud.key, "/operate");
    for (const path of [...pages, `/hosts/${hostId}`]) {
      await page.goto(`/operate${path}`);
      await arrived(page);
      await expectAccessible(page);
      await expectNoOverflow(page);
      const name = path.startsWith("/hosts/") ? "host" : path.replaceAll(/[^a-z]+/g, "-");
      await shoot(page, `operate-${name}`, look);
    }
    await close();
    // oxlint-enable no-await-in-loop
  }
});
