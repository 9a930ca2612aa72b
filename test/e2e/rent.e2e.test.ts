/**
 * The main job in a real browser, on real machines: top up, rent a machine, type into its console, watch
 * a job and fetch its result, stop everything, read the bill and have the browser prove it; then the
 * operator takes the host out of service. In both languages, each by the same steps.
 */
import { readFile } from "node:fs/promises";
import type { TFunction } from "i18next";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { readTar } from "#archive/tar.ts";
import { imageCache } from "#test/vm/cloud.ts";

import { openBrowser, plainLook, type Look, type TestBrowser } from "./browser.ts";
import { startConsoleCloud, type ConsoleCloud, type Customer } from "./console-cloud.ts";
import { shoot } from "./look.ts";
import { arrived, signIn } from "./sign-in.ts";
import { wordsOf } from "./words.ts";

/** Emulated machines on two cores that do other things too. */
const bootMs = 400_000;
const journeyMs = 1_500_000;
const polled = { timeout: bootMs, interval: 500 };

let cloud: ConsoleCloud;
let browser: TestBrowser;
let journeys = 0;

beforeAll(async () => {
  const flags = ["--image-cache", imageCache, "--local-cpus", "4", "--warm-start", "off"];
  [cloud, browser] = await Promise.all([
    startConsoleCloud([...flags, "--test-payments", "on"]),
    openBrowser(),
  ]);
});

afterAll(async () => {
  await browser.close();
  await cloud.close();
});

interface Journey {
  readonly page: Page;
  readonly t: TFunction;
  readonly look: Look;
  readonly customer: Customer;
}

test.each<Look>([plainLook, { ...plainLook, language: "zh-CN" }])(
  "from a top-up to a bill that proves itself, and a host in maintenance: $language",
  { timeout: journeyMs },
  async (look) => {
    const t = await wordsOf(look.language);
    const customer = await cloud.customer(`main-${(journeys += 1)}`);
    const { page, context, close } = await browser.person(cloud.url, look);
    const journey = { page, t, look, customer };
    await signIn(page, customer.key);
    await topUp(journey);
    await rentMachine(journey, "web");
    await typeIntoConsole(journey);
    await lookAtScreen(journey);
    await runJob(journey);
    await stopAll(journey);
    await readBill(journey);
    await proveBill(journey);
    await context.clearCookies();
    await signIn(page, cloud.key, "/operate/hosts");
    await maintainHost(journey);
    await close();
  },
);

async function topUp({ page, t, customer }: Journey): Promise<void> {
  await page.goto("/billing");
  await page
    .getByRole("button", { name: t("billing.topUp") })
    .first()
    .click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(t("billing.pay.amount")).fill("250.50");
  await dialog.getByRole("radio", { name: t("billing.pay.test") }).check();
  await dialog.getByRole("button", { name: t("billing.pay.go") }).click();
  await page
    .getByRole("row", { name: /250\.50/ })
    .getByText(t("billing.pay.state.settled"))
    .waitFor();
  expect((await customer.client.call("getBalance")).available).toBe("250.50");
}

async function rentMachine({ page, t, look }: Journey, name: string): Promise<void> {
  await page.goto("/instances/new?flavor=nano");
  await arrived(page);
  await page.getByText(t("rent.fits")).waitFor({ timeout: bootMs });
  await page
    .getByRole("textbox", { name: t("common.name") })
    .first()
    .fill(name);
  await shoot(page, "real-rent", look);
  await page.getByRole("button", { name: t("instances.rent") }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
  const head = page.locator(".page-head");
  await head.getByText(t("states.lease.running"), { exact: true }).waitFor({ timeout: bootMs });
}

async function typeIntoConsole({ page, t, look }: Journey): Promise<void> {
  await page.getByRole("tab", { name: t("lease.tab.console") }).click();
  await page
    .getByText(/^ssh .*-p [0-9]+/)
    .first()
    .waitFor();
  await page.getByRole("button", { name: t("lease.consoleOpen") }).click();
  await page.getByText(t("common.terminal.connected"), { exact: true }).waitFor();
  const screen = page.locator(".xterm-rows");
  await page.getByRole("application", { name: t("common.terminal.label") }).click();
  // A line of its own, whatever the machine was printing.
  await expect
    .poll(async () => {
      await page.keyboard.press("Enter");
      return screen.innerText();
    }, polled)
    .toMatch(/[#$] *$/m);
  await page.keyboard.type("uname -a");
  await page.keyboard.press("Enter");
  await expect.poll(() => screen.innerText(), polled).toMatch(/Linux \S+ [0-9.]+.* x86_64/);
  await shoot(page, "real-console", look);
  await page.getByRole("button", { name: t("lease.consoleClose") }).click();
}

/** The screen has the size that the machine's video card says, not that of an empty canvas. */
async function lookAtScreen({ page, t, look }: Journey): Promise<void> {
  await page.getByText(t("lease.consoleKinds.vnc"), { exact: true }).click();
  await page.getByRole("button", { name: t("lease.consoleOpen") }).click();
  await page.getByText(t("common.terminal.connected"), { exact: true }).waitFor();
  const screen = page.getByRole("application", { name: t("common.terminal.screen") });
  const pixels = async (): Promise<number> => {
    const [width, height] = await Promise.all(
      ["width", "height"].map((side) => screen.locator("canvas").getAttribute(side)),
    );
    return Number(width) * Number(height);
  };
  await expect.poll(pixels, polled).toBeGreaterThanOrEqual(640 * 400);
  await shoot(page, "real-screen", look);
  await page.getByRole("button", { name: t("lease.consoleClose") }).click();
}

/** It goes on only when it was seen: what is shown before that was shown while it ran. */
const script = `echo begin '<b>مرحبا</b> 🚀'
sleep 5
seq 1 5000 > $MILLRACE_RESULTS/numbers.txt
for step in 1 2 3; do echo "step $step"; sleep 1; done
echo end`;

async function runJob({ page, t, look, customer }: Journey): Promise<void> {
  await page.goto("/jobs/new");
  await arrived(page);
  await page
    .getByRole("textbox", { name: t("common.name") })
    .first()
    .fill("count");
  await page.getByRole("textbox", { name: t("jobs.script") }).fill(script);
  await page.getByRole("combobox", { name: t("jobs.flavor") }).click();
  await page.getByRole("option", { name: /^nano / }).click();
  await page.getByRole("button", { name: t("jobs.submit"), exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "count" }).waitFor();
  await page.getByRole("tab", { name: t("jobs.tab.log") }).click();
  const log = page.getByRole("log", { name: t("common.log.label") });
  await log.getByText("begin <b>مرحبا</b> 🚀", { exact: true }).waitFor({ timeout: bootMs });
  expect(await log.getByText("end", { exact: true }).count()).toBe(0);
  await log.getByText("end", { exact: true }).waitFor({ timeout: bootMs });
  const head = page.locator(".page-head");
  await head.getByText(t("states.job.succeeded"), { exact: true }).waitFor({ timeout: bootMs });
  await shoot(page, "real-log", look);
  await page.getByRole("tab", { name: t("jobs.tab.overview") }).click();
  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: t("jobs.resultsDownload") }).click();
  const saved = await readFile(await (await saving).path());
  const [job] = (await customer.client.call("listJobs")).items;
  const { chunks } = await customer.client.bytes("downloadJobResults", {
    params: { jobId: job?.id ?? "" },
  });
  expect(saved.equals(await bytesOf(chunks))).toBe(true);
  const numbers = Array.from({ length: 5000 }, (_, index) => `${index + 1}\n`).join("");
  expect((await filesOf(saved)).get("./numbers.txt")).toBe(numbers);
}

/** All of the list: stopped first, then given back. */
async function stopAll({ page, t }: Journey): Promise<void> {
  await page.goto("/instances");
  await arrived(page);
  const ask = async (action: string): Promise<void> => {
    await page.getByRole("checkbox", { name: t("common.table.selectAll") }).check();
    await page.getByRole("toolbar").getByRole("button", { name: action }).click();
    await page.getByRole("dialog").getByRole("button", { name: action }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
  };
  await ask(t("instances.stop"));
  const stopped = page.locator("tbody").getByText(t("states.lease.stopped"), { exact: true });
  await stopped.waitFor({ timeout: bootMs });
  await ask(t("instances.release"));
  await page.getByText(t("instances.emptyTitle")).waitFor({ timeout: bootMs });
}

/** What the page shows is what the API says, once all usage is in. */
async function readBill({ page, t, look, customer }: Journey): Promise<void> {
  await expect
    .poll(async () => {
      const { items } = await customer.client.call("listUsage", { query: { limit: 200 } });
      return items.length > 0 && items.every(({ until }) => until !== null);
    }, polled)
    .toBe(true);
  await page.goto("/billing/statements");
  await expect
    .poll(async () => {
      const { total, lines } = await customer.client.call("getStatement");
      await page.reload();
      await arrived(page);
      const shown = await page.locator("main").innerText();
      return lines.length > 0 && shown.includes(`¥${total}`) && shown.includes("cpu.core");
    }, polled)
    .toBe(true);
  await page.getByText(t("verify.total"), { exact: true }).first().waitFor();
  await shoot(page, "real-bill", look);
}

/** The events of the last minute are waited for until they are signed: then all of the bill is proved. */
async function proveBill({ page, t, look, customer }: Journey): Promise<void> {
  const { total, from } = await customer.client.call("getStatement");
  const month = from.slice(0, 7);
  await page.goto(`/billing/verify?month=${month}`);
  await arrived(page);
  await expect
    .poll(async () => {
      await page.getByRole("button", { name: t("verify.check") }).click();
      await page.getByText(t("verify.proved", { what: month })).waitFor();
      return page.locator("[data-note=open_usage]").count();
    }, polled)
    .toBe(0);
  const passed = page.locator("[data-step]").getByText(t("verify.outcome.passed"));
  expect(await passed.count()).toBe(8);
  expect(await page.locator("main").innerText()).toContain(`¥${total}`);
  await shoot(page, "real-proof", look);
}

async function maintainHost({ page, t, look }: Journey): Promise<void> {
  await arrived(page);
  await page.getByRole("table").getByRole("link").first().click();
  const begin = page.getByRole("button", { name: t("infrastructure.maintenance.begin") });
  await begin.click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(t("infrastructure.maintenance.empty")).waitFor();
  await shoot(page, "real-maintenance", look);
  await dialog.getByRole("button", { name: t("infrastructure.maintenance.begin") }).click();
  const end = page.getByRole("button", { name: t("infrastructure.maintenance.end") });
  await end.waitFor();
  const [host] = (await cloud.operator.call("listHosts")).items;
  expect(host?.schedulable).toBe(false);
  await end.click();
  await begin.waitFor();
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of chunks) parts.push(part);
  return Buffer.concat(parts);
}

async function filesOf(archive: Buffer): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const source = async function* (): AsyncGenerator<Buffer> {
    yield archive;
  };
  for await (const { entry, content } of readTar(source())) {
    if (entry.kind === "file") files.set(entry.path, (await bytesOf(content)).toString());
  }
  return files;
}
