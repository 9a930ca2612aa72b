/**
 * A cloud whose machines and jobs are on a Kubernetes cluster, in a real browser: what its customers and
 * its operator see there and nowhere else. The cluster is the test cluster, so that it waits, refuses,
 * evicts and is drained when the journey says so.
 */
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { present } from "#kernel/assert.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { screenColors } from "#test/kube/api/screen.ts";
import { freePort, startClusterCloud } from "#test/kube/cloud.ts";
import { a100 } from "#test/kube/driver-cluster.ts";
import { giveQuotaBack, prepareForJobs, settingsForJobs, takeQuota } from "#test/kube/job-cloud.ts";

import { openBrowser, oppositeLooks, plainLook, type TestBrowser } from "./browser.ts";
import { billMachine, proveInvoice, readInvoice } from "./cluster-bill.ts";
import { asks, asksToMove, colorShown, isSaid, wellMade } from "./cluster-pages.ts";
import { buildConsole, withCustomers, type Customer } from "./console-cloud.ts";
import { arrived, signIn } from "./sign-in.ts";
import { wordsOf } from "./words.ts";

const polled = { timeout: 90_000, interval: 100 };
const port = await freePort();
await buildConsole();
const cluster = await startClusterCloud({
  port,
  side: { programs: "real" },
  prepare: prepareForJobs,
  settings: {
    gpus: { [a100]: { model: "A100", memoryGib: 80 } },
    ...settingsForJobs(port),
  },
});
const { nodes, server } = cluster.cluster;
const { objects } = server;
const cloud = withCustomers({
  url: cluster.url(),
  key: cluster.operatorKey,
  close: () => Promise.resolve(),
});
let browser: TestBrowser;
let customer: Customer;
/** Another try of a test finds what the last one left. */
let tries = 0;
const named = (what: string): string => `${what}-${(tries += 1)}`;

beforeAll(async () => {
  browser = await openBrowser();
  customer = await cloud.customer("acme", "10000");
  await vi.waitFor(async () => {
    const { items } = await cloud.operator.call("listHosts");
    expect(items.map(({ name }) => name)).toEqual(["cpu-1", "node-1", "node-2"]);
  }, polled);
});

afterAll(async () => {
  await browser.close();
});

/** A machine of the customer's that runs. */
async function rent(
  what: string,
  flavor: string,
): Promise<{ readonly id: string; readonly name: string }> {
  const body = { name: named(what), flavor, image: "tiny" };
  const { lease } = await customer.client.call("createLease", { body });
  await vi.waitFor(async () => {
    const now = await customer.client.call("getLease", { params: { leaseId: lease.id } });
    expect(now.state).toBe("running");
  }, polled);
  return lease;
}

async function hostOf(leaseId: string): Promise<string> {
  const { host } = await customer.client.call("getLease", { params: { leaseId } });
  return present(host, "its host");
}

test("M-VM-02, M-VM-05: a customer sees why his machine waits for its disk, uses its screen and its serial line, goes back to a snapshot, makes it larger at its next start and releases it", async () => {
  const t = await wordsOf("en");
  const { page, close } = await browser.person(cloud.url);
  const name = named("web");
  nodes.fills("waits");
  await signIn(page, customer.key, "/instances/new?flavor=small");
  await page.getByText(t("rent.fits")).waitFor();
  await page
    .getByRole("textbox", { name: t("common.name") })
    .first()
    .fill(name);
  await page.getByRole("button", { name: t("instances.rent") }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
  await page.getByText(/^Disk .* is being made from its image\.$/).waitFor();
  await wellMade(page, "waits", plainLook);
  nodes.fills("at once");
  await isSaid(page, t("states.lease.running"));
  await page
    .getByText(/^ssh .*-p [0-9]+/)
    .first()
    .waitFor();

  // Both consoles go through our API to the cluster's.
  await page.getByRole("tab", { name: t("lease.tab.console") }).click();
  await page.getByRole("button", { name: t("lease.consoleOpen") }).click();
  await page.getByText(t("common.terminal.connected"), { exact: true }).waitFor();
  await page.getByRole("application", { name: t("common.terminal.label") }).click();
  await page.keyboard.type("hello");
  await expect.poll(() => page.locator(".xterm-rows").innerText(), polled).toMatch(/login: hello/);
  await page.getByRole("button", { name: t("lease.consoleClose") }).click();
  await page.getByText(t("lease.consoleKinds.vnc"), { exact: true }).click();
  await page.getByRole("button", { name: t("lease.consoleOpen") }).click();
  await page.getByText(t("common.terminal.connected"), { exact: true }).waitFor();
  const [before, after] = screenColors;
  await expect.poll(() => colorShown(page), polled).toEqual(before);
  await page.getByRole("application", { name: t("common.terminal.screen") }).click();
  await page.keyboard.press("a");
  await expect.poll(() => colorShown(page), polled).toEqual(after);
  await wellMade(page, "screen", plainLook);
  await page.getByRole("button", { name: t("lease.consoleClose") }).click();

  // No cluster keeps the memory of a machine, so that is not what one is offered.
  await page.getByRole("tab", { name: t("lease.tab.snapshots") }).click();
  await page.getByRole("button", { name: t("lease.createSnapshot") }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(t("common.name")).fill("before-update");
  expect(await dialog.getByRole("switch").isChecked()).toBe(false);
  await dialog.getByRole("button", { name: t("common.create") }).click();
  await page.getByText(t("states.snapshot.ready"), { exact: true }).waitFor();
  await page.getByRole("button", { name: /before-update/ }).click();
  const revert = t("lease.snapshotAction.revert");
  await page.getByRole("menuitem", { name: revert }).click();
  await dialog.getByRole("button", { name: revert }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("tab", { name: t("lease.tab.events") }).click();
  await page.getByText("It goes back to the snapshot before-update").waitFor();
  await expect.poll(() => page.getByText(/^The machine is ready/).count(), polled).toBe(2);
  await isSaid(page, t("states.lease.running"));

  await page.getByRole("tab", { name: t("lease.tab.overview") }).click();
  await page
    .locator(".page-head")
    .getByRole("button", { name: t("lease.resize") })
    .click();
  await dialog.getByRole("combobox", { name: t("instances.flavor") }).click();
  await page.getByRole("option", { name: /^medium/ }).click();
  await dialog.getByRole("button", { name: t("lease.resize") }).click();
  await dialog.waitFor({ state: "detached" });
  const restartIsDue = page.getByText(/take effect when it is started again/);
  await restartIsDue.waitFor();
  await asks(page, t("instances.stop"));
  await isSaid(page, t("states.lease.stopped"));
  await asks(page, t("instances.start"));
  await isSaid(page, t("states.lease.running"));
  await restartIsDue.waitFor({ state: "detached" });
  await page.getByText(/^2 vCPU/).waitFor();
  await asks(page, t("instances.release"));
  await isSaid(page, t("states.lease.released"));
  await close();
});

const script = `set -e
echo "attempt $MILLRACE_ATTEMPT reads"
mkdir -p results
seq 1 2000 > results/numbers.txt
if [ "$MILLRACE_ATTEMPT" = 1 ]; then sleep 600; fi`;

test("M-JOB-01, R-PAYG-7: a customer sees that his job waits for the queue's quota, reads its log, sees why it was taken off, and what each attempt was", async () => {
  const t = await wordsOf("en");
  const { page, close } = await browser.person(cloud.url);
  const name = named("train");
  takeQuota(objects);
  await signIn(page, customer.key, "/jobs/new");
  await page
    .getByRole("textbox", { name: t("common.name") })
    .first()
    .fill(name);
  await page.getByRole("textbox", { name: t("jobs.script") }).fill(script);
  await page.getByRole("combobox", { name: t("jobs.flavor") }).click();
  await page.getByRole("option", { name: /^nano / }).click();
  await page.getByRole("button", { name: t("jobs.submit"), exact: true }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
  await page.getByText(/It waits for quota: .* more of cpu/).waitFor();
  await wellMade(page, "job-waits", plainLook);
  giveQuotaBack(objects);
  await isSaid(page, t("states.job.running"));
  await page.getByRole("tab", { name: t("jobs.tab.log") }).click();
  const log = page.getByRole("log", { name: t("common.log.label") });
  await log.getByText("attempt 1 reads", { exact: true }).waitFor();

  // So that it has run for as long as something costs.
  await cluster.setForward(90_000);
  const workload = present(objects.store.all(kinds.workload).at(-1), "the job's workload");
  nodes.kueue.evict(workload, { reason: "Preempted", cause: "InCohortReclamation" });
  await isSaid(page, t("states.job.queued"));
  await page.getByRole("tab", { name: t("jobs.tab.overview") }).click();
  await page.getByText(/It made room for another customer who took back/).waitFor();
  await wellMade(page, "job-taken-off", plainLook);
  await cluster.setForward(300_000);
  await isSaid(page, t("states.job.succeeded"));
  await page.getByRole("tab", { name: t("jobs.tab.attempts") }).click();
  await page.getByText(t("jobs.end.preempted"), { exact: true }).waitFor();
  await page.getByText(/exit code 0/).waitFor();
  // Each attempt can be checked: its seconds, its price, its amount.
  const [job] = (await customer.client.call("listJobs", { query: { name } })).items;
  const params = { jobId: present(job, "the job").id };
  const costs = await vi.waitFor(async () => {
    const found = await customer.client.call("getJobCosts", { params });
    expect(found.attempts.map(({ billable }) => billable)).toEqual([true, true]);
    expect(found.attempts[0]?.lines.map(({ seconds }) => seconds >= 90)).toEqual([true, true]);
    return found;
  }, polled);
  for (const { number, lines } of costs.attempts) {
    const table = page.getByRole("table", { name: t("jobs.attemptCost.title", { number }) });
    for (const { sku, seconds, unitPrice, amount } of lines) {
      const cells = table.getByRole("row", { name: sku }).getByRole("cell");
      // oxlint-disable-next-line no-await-in-loop -- one row after the other
      await expect
        .poll(() => cells.allInnerTexts(), polled)
        .toEqual([
          seconds.toLocaleString("en"),
          expect.stringContaining(`¥${unitPrice ?? ""}`),
          `¥${amount ?? ""}`,
        ]);
    }
  }
  await wellMade(page, "job-attempts", plainLook);
  await page.getByRole("tab", { name: t("jobs.tab.overview") }).click();
  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: t("jobs.resultsDownload") }).click();
  expect(await (await saving).failure()).toBeNull();
  await close();
});

test("H-29, R-GPU-01: an operator moves a machine to a host that he chooses, and reads of one with a GPU why it stays; its owner is not offered that", async () => {
  nodes.fills("at once");
  const train = await rent("train", "a100.1");
  const web = await rent("web", "nano");
  const [host, trainHost] = [await hostOf(web.id), await hostOf(train.id)];
  const to = present(
    ["node-1", "node-2"].find((name) => name !== host),
    "another host",
  );
  for (const look of oppositeLooks) {
    // oxlint-disable no-await-in-loop -- one browser, one page after the other
    const t = await wordsOf(look.language);
    const { page, close } = await browser.person(cloud.url, look);
    await signIn(page, cloud.key);
    const dialog = page.getByRole("dialog");
    await asksToMove(page, { operator: cloud.operator, host: trainHost, name: train.name, t });
    await dialog.getByText(t("lease.move.startsElsewhere")).waitFor();
    const english = dialog.getByText(/a GPU is not handed over/);
    expect(await english.count()).toBe(look.language === "en" ? 1 : 0);
    await wellMade(page, "move-cannot", look);
    await asksToMove(page, { operator: cloud.operator, host, name: web.name, t });
    await dialog.getByText(t("lease.move.listed")).waitFor();
    await wellMade(page, "move", look);
    if (look === oppositeLooks.at(-1)) {
      await dialog.getByRole("combobox", { name: t("lease.move.to") }).click();
      await page.getByRole("option", { name: new RegExp(`^${to}`) }).click();
      await dialog.getByRole("button", { name: t("lease.move.submit") }).click();
      await page.getByText(t("lease.move.done", { name: web.name, host: to })).waitFor();
    }
    await close();
    // oxlint-enable no-await-in-loop
  }

  expect(await hostOf(web.id)).toBe(to);

  const t = await wordsOf("en");
  const { page, close } = await browser.person(cloud.url);
  await signIn(page, customer.key, `/instances/${web.id}?tab=events`);
  await page.getByText(`The machine runs on ${to} now, and no longer on ${host}.`).waitFor();
  const buttons = page.locator(".page-head").getByRole("button");
  expect(await buttons.filter({ hasText: t("lease.clone") }).count()).toBe(1);
  expect(await buttons.filter({ hasText: t("lease.move.ask") }).count()).toBe(0);
  await close();
  for (const { id } of [web, train]) {
    // oxlint-disable-next-line no-await-in-loop -- two
    await customer.client.call("releaseLease", { params: { leaseId: id } });
  }
});

test("H-29, R-GPU-01: an operator empties two hosts: a machine moves while it runs, and the owner of one with a GPU is told and starts it elsewhere", async () => {
  const t = await wordsOf("en");
  nodes.fills("at once");
  for (const { id } of (await cloud.operator.call("listHosts")).items) {
    // oxlint-disable-next-line no-await-in-loop -- three
    await cloud.operator.call("updateHost", {
      params: { hostId: id },
      body: { schedulable: true },
    });
  }
  const { id: train } = await rent("train", "a100.1");
  const { id: web } = await rent("web", "nano");
  const from = { train: await hostOf(train), web: await hostOf(web) };
  const operator = await browser.person(cloud.url);
  await signIn(operator.page, cloud.key, "/operate");
  for (const host of new Set([from.train, from.web])) {
    // oxlint-disable no-await-in-loop -- one page after the other
    await operator.page.goto("/operate/hosts");
    await arrived(operator.page);
    await operator.page.getByRole("link", { name: host }).click();
    await operator.page.getByRole("heading", { level: 1, name: host }).waitFor();
    const begin = { name: t("infrastructure.maintenance.begin") };
    await operator.page.getByRole("button", begin).click();
    const dialog = operator.page.getByRole("dialog");
    if (host === from.train) await dialog.getByText(/cannot move while .* run/).waitFor();
    if (host === from.web) await dialog.getByText(/to (?:an)?other hosts? while .* run/).waitFor();
    await dialog.getByRole("button", begin).click();
    await operator.page
      .getByRole("button", { name: t("infrastructure.maintenance.end") })
      .waitFor();
    // oxlint-enable no-await-in-loop
  }
  await vi.waitFor(async () => {
    expect([from.train, from.web]).not.toContain(await hostOf(web));
  }, polled);
  expect(await hostOf(train)).toBe(from.train);

  const { page, close } = await browser.person(cloud.url);
  await signIn(page, customer.key, "/notices");
  await page.getByText(/Stop it and start it again when it suits you/).waitFor();
  await page.goto(`/instances/${train}`);
  await arrived(page);
  await asks(page, t("instances.stop"));
  await isSaid(page, t("states.lease.stopped"));
  await asks(page, t("instances.start"));
  await isSaid(page, t("states.lease.running"));
  expect(await hostOf(train)).not.toBe(from.train);
  await close();
  await operator.close();

  // Everything that there is, once more, as it looks to others.
  const job = present((await customer.client.call("listJobs")).items[0], "the job").id;
  const hosts = await cloud.operator.call("listHosts");
  const host = present(
    hosts.items.find(({ name }) => name === from.train),
    "a host in maintenance",
  ).id;
  const pages = {
    customer: [
      "/instances",
      `/instances/${train}`,
      `/instances/${train}?tab=console`,
      `/instances/${train}?tab=storage`,
      `/instances/${web}?tab=events`,
      `/jobs/${job}`,
      `/jobs/${job}?tab=attempts`,
      "/notices",
    ],
    operator: ["", "/hosts", `/hosts/${host}`, "/platforms", "/system", "/catalog?tab=images"].map(
      (path) => `/operate${path}`,
    ),
  };
  for (const look of oppositeLooks.filter((each) => each !== plainLook)) {
    // oxlint-disable no-await-in-loop -- one page after the other
    for (const [key, addresses] of [
      [customer.key, pages.customer],
      [cloud.key, pages.operator],
    ] as const) {
      const person = await browser.person(cloud.url, look);
      await signIn(person.page, key);
      for (const [index, address] of addresses.entries()) {
        await person.page.goto(address);
        await wellMade(
          person.page,
          `${key === cloud.key ? "operator" : "customer"}-${index}`,
          look,
        );
      }
      await person.close();
    }
    // oxlint-enable no-await-in-loop
  }
});

test("a customer reads the invoice of a machine that ran on the cluster, its seconds and its price, and it is proved in his browser and offline", async () => {
  nodes.fills("at once");
  const { items } = await customer.client.call("listLeases", { query: { released: "hidden" } });
  for (const { id } of items) {
    // oxlint-disable-next-line no-await-in-loop -- what runs on would use up his balance until then
    await customer.client.call("releaseLease", { params: { leaseId: id } });
  }
  const billed = await billMachine(cluster, { cloud, name: named("orchard") });
  for (const look of oppositeLooks) {
    // oxlint-disable no-await-in-loop -- one browser, one page after the other
    const t = await wordsOf(look.language);
    const { page, close } = await browser.person(cloud.url, look);
    await signIn(page, billed.customer.key, "/billing/statements?tab=invoices");
    await page.getByRole("link", { name: billed.invoice }).waitFor();
    if (look === plainLook) await readInvoice(page, t, billed);
    else await page.goto(`/billing/invoices/${billed.invoice}`);
    await wellMade(page, "invoice", look);
    await proveInvoice(page, t, billed);
    await wellMade(page, "invoice-proved", look);
    await close();
    // oxlint-enable no-await-in-loop
  }
});
