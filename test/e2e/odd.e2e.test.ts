/**
 * Texts of people that do no harm wherever they are shown: markup, an emoji, right-to-left text and its
 * overrides, words without end; and fields that are given far more than they take.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";

import { createClient } from "#client/client.ts";

import { openBrowser, plainLook, type TestBrowser, type Width } from "./browser.ts";
import { startConsoleCloud, type ConsoleCloud, type Customer } from "./console-cloud.ts";
import { arrived, settled, signIn } from "./sign-in.ts";

const markup = `<img src=x onerror="globalThis.hurt=1">"'&amp;{{name}}`;
const odd = (characters: number): string =>
  `${markup} 😀👩‍👩‍👧 مرحبا \u202Eevil ${"W".repeat(characters)}`.slice(0, characters);
const long = `${markup} \u202E${"😀مرW".repeat(2500)}`.slice(0, 10_000);
const aKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

let cloud: ConsoleCloud;
let browser: TestBrowser;
let customer: Customer;
let customerPages: readonly string[];
let operatorPages: readonly string[];

beforeAll(async () => {
  [cloud, browser] = await Promise.all([startConsoleCloud(), openBrowser()]);
  customer = await cloud.customer("odd", "1000");
  const { client, id } = customer;
  const { operator } = cloud;
  const forThem = createClient({ baseUrl: cloud.url, credential: cloud.key, tenant: id });
  await operator.call("updateTenant", {
    params: { tenantId: id },
    body: { displayName: odd(100) },
  });
  await forThem.call("createTopUp", { body: { amount: "7", reference: odd(100) } });
  await client.call("createUser", { body: { name: odd(100), role: "viewer" } });
  await client.call("createApiKey", { body: { name: odd(100) } });
  const publicKey = `${aKey} ${odd(4000)}`;
  await client.call("createSshKey", { body: { name: odd(100), publicKey } });
  await client.call("submitApplication", {
    body: {
      company: odd(200),
      scale: "500+",
      monthlyBudget: "1000",
      demand: odd(4000),
      contact: odd(200),
    },
  });
  await client.call("orderService", {
    body: { kind: "model_optimization", description: odd(1000) },
  });
  const { lease } = await client.call("createLease", { body: { name: "web", flavor: "small" } });
  const params = { leaseId: lease.id };
  await untilState(() => client.call("getLease", { params }), "running");
  await client.call("createSnapshot", { params, body: { name: odd(100) } });
  const job = await client.call("createJob", {
    body: {
      name: "odd",
      flavor: "small",
      script: long,
      environment: { ODD: long, SIMULATE_LINES: "5000" },
    },
  });
  const hosts = await operator.call("listHosts");
  const host = hosts.items.find(({ gpus }) => gpus.length > 0);
  await operator.call("updateHostGpu", {
    params: { hostId: host?.id ?? "", deviceId: host?.gpus[0]?.id ?? "" },
    body: { healthy: false, note: odd(500) },
  });
  customerPages = [
    "/",
    "/team",
    "/api-keys",
    "/ssh-keys",
    "/audit",
    "/profile",
    "/quota",
    "/notices",
    "/files",
    "/billing?tab=payments",
    "/billing?tab=services",
    "/billing/statements?tab=journals",
    "/jobs",
    `/jobs/${job.id}?tab=request`,
    `/jobs/${job.id}?tab=api`,
    `/jobs/${job.id}?tab=log`,
    "/instances",
    `/instances/${lease.id}?tab=snapshots`,
    `/instances/${lease.id}?tab=events`,
  ];
  operatorPages = [
    "/operate",
    "/operate/alerts",
    `/operate/hosts/${host?.id ?? ""}`,
    "/operate/pools",
    "/operate/catalog",
    "/operate/queue?tab=limits",
    "/operate/customers",
    ...["overview", "tier", "users", "money", "prices", "work"].map(
      (tab) => `/operate/customers/${id}?tab=${tab}`,
    ),
    "/operate/applications",
    "/operate/services",
    "/operate/customer-tasks",
    "/audit",
  ];
});

afterAll(async () => {
  await browser.close();
  await cloud.close();
});

test.each<Width>([1280, 390])("odd texts are shown as texts: %i px", async (width) => {
  const look = { ...plainLook, width };
  const faults: string[] = [];
  for (const [key, paths] of [
    [customer.key, customerPages],
    [cloud.key, operatorPages],
  ] as const) {
    // oxlint-disable no-await-in-loop -- one browser, one page after the other
    const { page, close } = await browser.person(cloud.url, look);
    await signIn(page, key);
    for (const path of paths) {
      await page.goto(path);
      await arrived(page);
      await settled(page);
      faults.push(...(await faultsOf(page)).map((fault) => `${path}: ${fault}`));
    }
    await close();
    // oxlint-enable no-await-in-loop
  }
  expect(faults).toEqual([]);
});

test.each([
  ["/instances/new?flavor=small", "Rent a machine"],
  ["/jobs/new", "Submit"],
  ["/groups/new?flavor=small", "Rent a group"],
])("10,000 characters in every field do no harm: %s", async (path, submit) => {
  const { page, close } = await browser.person(cloud.url, { ...plainLook, width: 390 });
  await signIn(page, customer.key, path);
  await arrived(page);
  for (const summary of await page.locator("main summary").all()) await summary.click();
  const fields = page.locator(
    "main :is(input:is([type=text], :not([type])), textarea):not([readonly])",
  );
  for (const field of await fields.all()) {
    if (!(await field.isVisible()) || !(await field.isEditable())) continue;
    await field.fill(long);
    expect((await field.inputValue()).length).toBeLessThanOrEqual(10_000);
  }
  expect(await faultsOf(page)).toEqual([]);
  // What is wrong is said at its field, at once or when it is to be sent.
  const button = page.getByRole("button", { name: submit, exact: true });
  if ((await button.getAttribute("aria-disabled")) !== "true") await button.click();
  await page.locator("main [aria-invalid=true]").first().waitFor();
  expect(new URL(page.url()).pathname).toBe(path.split("?")[0]);
  expect(await faultsOf(page)).toEqual([]);
  await close();
});

test("the search, the sign-in page and the address take anything", async () => {
  const { page, close } = await browser.person(cloud.url, { ...plainLook, width: 390 });
  await page.goto("/sign-in");
  await page.locator("input[type=password]").fill(long);
  await page.locator("button[type=submit]").click();
  await page.getByText("That is not right").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await signIn(
    page,
    customer.key,
    `/instances?name=${encodeURIComponent(odd(500))}&state=${markup}`,
  );
  await page.getByText("Nothing matches the filters").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").locator("input").fill(long);
  expect(await faultsOf(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.goto(`/instances/${encodeURIComponent(markup)}`);
  await arrived(page);
  expect(await faultsOf(page)).toEqual([]);
  await close();
});

/** What ran or was drawn though it is text, and what sticks out of the screen. */
async function faultsOf(page: Page): Promise<readonly string[]> {
  return z.array(z.string()).parse(
    await page.evaluate(`(() => {
      const faults = globalThis.hurt === undefined ? [] : ["a script ran"];
      if (document.querySelector("img[src=x]") !== null) faults.push("markup was drawn");
      if (document.documentElement.scrollWidth <= innerWidth) return faults;
      const wide = [...document.querySelectorAll("main *, header *, nav *, [role=dialog] *")].filter(
        (each) => each.getBoundingClientRect().right > innerWidth + 1 && each.childElementCount === 0,
      );
      return [...faults, ...wide.slice(0, 3).map((each) => "too wide: " +
        each.parentElement.outerHTML.slice(0, 300))];
    })()`),
  );
}

async function untilState(read: () => Promise<{ readonly state: string }>, state: string) {
  await vi.waitFor(async () => expect(await read()).toMatchObject({ state }), {
    timeout: 120_000,
    interval: 200,
  });
}
