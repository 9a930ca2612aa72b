/** Jobs in a real browser: submit, watch, fetch the results, submit again; and the operator's queue. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";

import { createClient } from "#client/client.ts";

import { openBrowser, pairedLooks, type TestBrowser } from "./browser.ts";
import { startConsoleCloud, type ConsoleCloud, type Customer } from "./console-cloud.ts";
import { expectWellMade } from "./look.ts";
import { signIn } from "./sign-in.ts";

let cloud: ConsoleCloud;
let browser: TestBrowser;
let customer: Customer;
/** By their names. */
const jobs = new Map<string, string>();

beforeAll(async () => {
  [cloud, browser] = await Promise.all([startConsoleCloud(), openBrowser()]);
  customer = await cloud.customer("jobs", "20000");
  const forThem = createClient({ baseUrl: cloud.url, credential: cloud.key, tenant: customer.id });
  await forThem.call("updateQuota", {
    body: { vcpus: 256, memoryMiB: 4_194_304, diskGiB: 100_000, gpus: { A100: 16, T4: 16 } },
  });
  const work = { flavor: "a100.2", script: "work", timeLimitSeconds: 3600 };
  const environment = { SIMULATE_SECONDS: "3000", SIMULATE_LINES: "300" };
  for (const name of ["runs", "runs-too", "waits"]) {
    // oxlint-disable-next-line no-await-in-loop -- their order is the queue's
    const made = await customer.client.call("createJob", { body: { ...work, name, environment } });
    jobs.set(name, made.id);
  }
});

afterAll(async () => {
  await browser.close();
  await cloud.close();
});

function idOf(name: string): string {
  return jobs.get(name) ?? "";
}

test("a job is submitted with a file, its log is followed, its results come home, and it goes again", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, customer.key, "/jobs/new");
  await page.getByText("Machine and rules are those of your last job").waitFor();
  // What is wrong is said at its field, before anything is sent.
  await page.getByRole("button", { name: "Submit", exact: true }).click();
  await page.getByText("Give it a name").waitFor();
  await page.getByLabel("Name", { exact: false }).first().fill("<b>no</b>");
  await page.getByText("Lower-case letters, digits and '-', first a letter").waitFor();
  await page.getByRole("textbox", { name: /^Name/ }).first().fill("my-job");
  await page.getByRole("textbox", { name: /^Script/ }).fill("#!/bin/sh\necho '🚀 <b>مرحبا</b>'\n");
  await page.getByRole("combobox", { name: /^Flavor/ }).click();
  await page.getByRole("option", { name: /^t4\.1 / }).click();
  await page.getByText("There is room: it starts at once").waitFor();
  await page.locator("input[type=file]").setInputFiles({
    name: "данные 1.csv",
    mimeType: "text/csv",
    buffer: Buffer.from("a,b\n1,2\n"),
  });
  await page
    .getByText(/^_+1\.csv/)
    .first()
    .waitFor();
  for (const [at, [name, value]] of [
    ["SIMULATE_SECONDS", "1"],
    ["SIMULATE_LINES", "5000"],
  ].entries()) {
    // oxlint-disable no-await-in-loop -- one row after the other
    await page.getByRole("button", { name: "Add a variable" }).click();
    await page.getByRole("textbox", { name: `Name ${at + 1}` }).fill(name ?? "");
    await page.getByRole("textbox", { name: `Value ${at + 1}` }).fill(value ?? "");
    // oxlint-enable no-await-in-loop
  }
  await page.getByRole("button", { name: "Submit", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "my-job" }).waitFor();
  await page.getByText("Succeeded").first().waitFor();
  await page.getByRole("tab", { name: "Log" }).click();
  await page.getByText("line 5000 of 5000").waitFor();
  await page.getByRole("tab", { name: "Attempts" }).click();
  await page.getByText("ended well, exit code 0").waitFor();
  await page.getByRole("tab", { name: "What was submitted" }).click();
  await page.getByText("🚀 <b>مرحبا</b>").waitFor();
  await page.getByRole("tab", { name: "Overview" }).click();
  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download the results" }).click();
  const saved = await saving;
  expect(saved.suggestedFilename()).toContain("my-job-");
  expect((await readFile(await saved.path())).length).toBeGreaterThan(0);
  await page.getByRole("link", { name: "Again, with changes" }).click();
  await page.getByText("Everything is filled in as in the job").waitFor();
  expect(await page.getByRole("textbox", { name: /^Name/ }).first().inputValue()).toBe("my-job");
  expect(await page.getByRole("textbox", { name: /^Script/ }).inputValue()).toContain("🚀");
  await close();
});

test("who waits is told his place, the reason and the range of his start, and can withdraw", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, customer.key, `/jobs/${idOf("waits")}`);
  await page.getByText("Number 1 of 1 that wait for A100").waitFor();
  await page.getByText("At the latest", { exact: true }).waitFor();
  await page.goto("/jobs?state=queued");
  await page.getByRole("row", { name: /waits/ }).getByText("1 of 1").waitFor();
  await page.getByRole("checkbox", { name: "Select all that are shown" }).check();
  await page.getByRole("toolbar").getByRole("button", { name: "Cancel the job" }).click();
  await page.getByRole("dialog").getByText("Cancel 1 job?").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel", exact: true }).click();
  await close();
});

test("the operator sees who waits, plans another host, and replays history", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, cloud.key, "/operate/queue");
  const row = page.getByRole("row", { name: /waits/ });
  await row.getByText("jobs", { exact: true }).waitFor();
  await page.getByRole("tab", { name: "Plan" }).click();
  await page.getByRole("combobox", { name: "Like the host" }).click();
  await page.getByRole("option", { name: "simulated-gpu-1" }).first().click();
  await page.getByRole("button", { name: "Add to the plan" }).click();
  await page.getByRole("button", { name: "Plan it" }).click();
  await page.getByText("1 of those that wait would start.").waitFor();
  await page.getByRole("tab", { name: "Replay" }).click();
  await page.getByRole("button", { name: "Replay", exact: true }).click();
  const table = page.getByRole("table", { name: "Policies compared" }).first();
  await table.getByRole("columnheader", { name: "EASY backfilling" }).waitFor();
  await page.getByRole("tab", { name: "Limits" }).click();
  await page.getByRole("combobox", { name: "Customer" }).click();
  await page.getByRole("option", { name: "jobs" }).click();
  await page.getByRole("textbox", { name: "GPUs at one time" }).fill("8");
  await page.getByRole("button", { name: "Set the limit" }).click();
  await page.getByText("The limit is set").waitFor();
  const { limits } = await customer.client.call("listLimits");
  expect(limits).toMatchObject([{ projectId: null, gpuModel: null, gpusMax: 8 }]);
  await close();
});

test("a customer has no queue of the operator's", async () => {
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, customer.key, "/operate/queue");
  await page.getByText("This page is not for your role").waitFor();
  await close();
});

test.each(pairedLooks)("pages are well made: $language, $theme, $width px", async (look) => {
  const { page, context, close } = await browser.person(cloud.url, look);
  const visit = async (pages: readonly (readonly [string, string])[]): Promise<void> => {
    await expectWellMade(page, pages, look);
  };
  await signIn(page, customer.key, "/jobs");
  await visit([
    ["jobs", "/jobs"],
    ["job-new", `/jobs/new?from=${idOf("runs")}`],
    ["job-waits", `/jobs/${idOf("waits")}`],
    ["job-log", `/jobs/${idOf("runs")}?tab=log`],
    ["job-attempts", `/jobs/${idOf("runs")}?tab=attempts`],
    ["job-request", `/jobs/${idOf("runs")}?tab=request`],
    ["files", "/files"],
  ]);
  await context.clearCookies();
  await signIn(page, cloud.key, "/operate/queue");
  await visit([
    ["queue", "/operate/queue"],
    ["queue-limits", "/operate/queue?tab=limits"],
    ["queue-policy", "/operate/queue?tab=policy"],
    ["queue-plan", "/operate/queue?tab=plan"],
    ["queue-replay", "/operate/queue?tab=replay"],
  ]);
  await close();
});
