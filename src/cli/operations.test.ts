/** Every operation of the contract can be reached: by `api`, and by a command of its own. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";

import { operations, type OperationId } from "#contract/operations.ts";
import { runInside } from "#test/cli-inside.ts";
import type { CliRun } from "#test/cli.ts";
import { startContractServer, type ContractServer } from "#test/contract-server.ts";
import { eventText } from "#test/contract-wire.ts";
import { addressOf, sampleOf } from "#test/sample.ts";

const id = "0190c2b4-0000-7000-8000-000000000001";
const home = mkdtempSync(join(tmpdir(), "millrace-walk-test-"));
const json = join(home, "body.json");
const jobs = join(home, "jobs.jsonl");
const publicKey = join(home, "key.pub");
let server: ContractServer;

/** What a person would type; "api" where only programs ask. */
const commands: Readonly<Record<OperationId, string>> = {
  whoami: "whoami",
  listOrphans: "orphan list",
  adoptOrphan: `orphan adopt ${id} --name web`,
  removeOrphan: `orphan remove ${id}`,
  retireSite: "site retire cluster-1",
  createSession: "api",
  endSession: "api",
  listSessions: "session list",
  revokeSession: `session end ${id}`,
  createSignInCode: "console",
  setPassword: `password set --file ${jobs} --current-file ${jobs}`,
  inviteUser: `user invite ${id} --email li@example.org`,
  acceptInvitation: "api",
  listTenants: "tenant list",
  createTenant: "tenant create acme --display-name Acme",
  getTenant: `tenant show ${id}`,
  updateTenant: `tenant suspend ${id}`,
  listProjects: "project list",
  createProject: "project create web",
  deleteProject: `project delete ${id}`,
  listUsers: "user list",
  createUser: "user create Li --role viewer",
  updateUser: `user update ${id} --disable`,
  listApiKeys: "key list",
  createApiKey: "key create ci --read-only --expires-days 9",
  revokeApiKey: `key revoke ${id}`,
  listSshKeys: "ssh-key list",
  createSshKey: `ssh-key add work --file ${publicKey}`,
  deleteSshKey: `ssh-key delete ${id}`,
  listOpenings: `opening list --project ${id}`,
  createOpening: `opening add tcp/443 --from 203.0.113.0/24 --project ${id} --note web`,
  deleteOpening: `opening remove ${id}`,
  listOffers: "offers",
  getPriceList: "price-list",
  listFlavors: "flavor list",
  createFlavor: "flavour create small --vcpus 4 --memory 4GiB --disk 40GiB --gpu A100/2",
  retireFlavor: "flavor retire small",
  listImages: "image list",
  updateImage: "image set debian-12 --gpu-driver 550.54.15 --framework pytorch",
  getPlaces: "places",
  listHosts: "host list",
  getHost: `host show ${id}`,
  updateHost: `host cordon ${id}`,
  updateHostGpu: `host gpu ${id} 0000:3b:00.0 --sick --note ECC`,
  listPools: "pool list",
  explainRequest: `why ${id}`,
  listQueue: "queue list --pool A100",
  planRequest: "plan request --flavor nano",
  planFleet: "plan fleet --add host:2",
  replaySchedule: "schedule replay --policy easy --from 2026-05-01 --until 2026-05-02",
  getPool: "pool show general",
  createPool: "pool create edge --preset edge --reserve 10",
  updatePool: "pool set general --slices 4",
  deletePool: "pool delete general",
  listPriceProfiles: "profile list",
  getPriceProfile: `profile show ${id}`,
  createPriceProfile: `profile create draft --file ${json}`,
  checkPriceProfile: `profile check --file ${json}`,
  activatePriceProfile: `profile activate ${id} --from 2026-06-01`,
  replayPrices: `price replay --profile ${json} --month 2026-05`,
  quote: "price small --hours 24 --disk 100GiB",
  createLease: "lease create web --flavor small",
  listLeases: "lease list",
  getLease: `lease show ${id}`,
  startLease: `lease start ${id}`,
  stopLease: `lease stop ${id} --grace 1m`,
  rebootLease: `lease reboot ${id}`,
  cloneLease: `lease clone ${id} web-2 --flavor small --disk 100GiB --ssh-key laptop`,
  moveLease: `lease move ${id}`,
  resizeLease: `lease resize ${id} --disk 100GiB`,
  releaseLease: `lease delete ${id} --yes`,
  listLeaseEvents: `lease events ${id}`,
  listIdlePolicies: "idle rules",
  setIdlePolicy: "idle set --flavor small --window-hours 72 --allow-exemptions",
  deleteIdlePolicy: "idle off",
  getIdleReport: "idle report --month 2026-05",
  getLeaseIdleness: `lease show ${id}`,
  keepLease: `lease keep ${id} --always`,
  restoreSnapshot: `lease restore ${id} --name web`,
  createGroup: "group create web --flavor small --min 2 --max 10 --target cpu=60",
  listGroups: "group list --all",
  getGroup: `group show ${id}`,
  updateGroup: `group set ${id} --wanted 5 --in-cooldown 10m`,
  deleteGroup: `group delete ${id} --yes`,
  listGroupEvents: `group events ${id}`,
  getLeaseRecommendation: `lease recommend ${id}`,
  setSizing: `lease auto-size ${id} --max-vcpus 4 --max-memory 8GiB --max-price 2.50`,
  deleteSizing: `lease auto-size ${id} --off`,
  listSnapshots: `snapshot list ${id}`,
  createSnapshot: `snapshot create ${id} before --no-memory`,
  revertSnapshot: `snapshot revert ${id} ${id}`,
  deleteSnapshot: `snapshot delete ${id} ${id}`,
  getOperation: `operation wait ${id}`,
  createJob: "job submit --flavor small --env A=1 --time-limit 2h -- python3 train.py",
  createJobBatch: `job submit --batch ${jobs} --all-or-none`,
  listJobs: "job list",
  getJob: `job show ${id}`,
  getJobCosts: `job costs ${id}`,
  getJobRequest: `job request ${id}`,
  cancelJob: `job cancel ${id} --no-wait`,
  readJobLog: `job logs ${id}`,
  followJobLog: `job logs -f ${id}`,
  downloadJobResults: `job results ${id} --to -`,
  uploadFile: `file upload ${json}`,
  listFiles: "file list",
  downloadFile: `file download ${id} --to -`,
  deleteFile: `file delete ${id}`,
  getBalance: "balance",
  getStanding: "standing --language zh-CN",
  createTopUp: "top-up 100 --reference bank --tenant acme",
  createPayment: "top-up 100 --method bank_transfer",
  listPayments: "payment list",
  getPayment: `payment show ${id}`,
  cancelPayment: `payment cancel ${id}`,
  refundPayment: `payment refund ${id} 10 --reason closing --tenant acme`,
  createBankReceipt:
    "payment confirm MR-ABCD-EFGH 100 --bank-reference 4711 --received-on 2026-05-04",
  listBankReceipts: "payment receipts --all",
  resolveBankReceipt: `payment resolve ${id} --return --note wrong`,
  listJournals: "journal",
  listAllJournals: "ledger journals --kind top_up --account cash --since 2026-05-01T00:00:00Z",
  listAllPayments: "ledger payments --state settled",
  listAllInvoices: "ledger invoices --month 2026-05 --state overdue",
  checkLedger: "ledger check",
  listUsage: "usage --month 2026-05",
  getUsageSums: "usage sum --by project --bucket week --month 2026-05",
  getStatement: "statement --format json",
  exportStatement: "statement --format csv --by week",
  explainLine: "bill explain 2026-05-04 gpu.A100",
  exportBundle: "bill bundle 2026-05 --to -",
  replayMonth: "bill replay 2026-05",
  listInvoices: "invoice list",
  getInvoice: "invoice show MR-2026-05-1a2b3c4d",
  exportInvoice: "invoice export MR-2026-05-1a2b3c4d --format pdf --to -",
  voidInvoice: "invoice void MR-2026-05-1a2b3c4d --reason wrong",
  getQuota: "quota show",
  updateQuota: "quota set --vcpus 8 --gpu A100=2",
  getJobPolicy: "job-policy show",
  setJobPolicy: "job-policy set --notice 2m --rule diamond:ordinary --preemption on",
  listLimits: "limit show",
  setLimit: "limit set --gpu A100 --gpus 16",
  setProjectLimit: `limit set --project ${id} --hours 100`,
  setShareCap: "limit share 50 --gpu A100",
  listAudit: "audit --actor Li --action lease --since 2026-05-01T00:00:00Z",
  quoteOrder: "order quote package P5000",
  buyPackage: "package buy P5000",
  listPackages: "package list --all",
  getPackage: `package show ${id}`,
  refundPackage: `package refund ${id}`,
  listServiceOffers: "service offers",
  orderService: "service support --once",
  listServices: "service list --all",
  listAllServices: "service to-do --all",
  getService: `service show ${id}`,
  acceptService: `service accept ${id}`,
  cancelService: `service cancel ${id}`,
  offerService: `service offer ${id} --amount 8000 --until 2027-01-01T00:00:00Z`,
  finishService: `service finish ${id} --note done`,
  listContractPrices: "contract list",
  setContractPrice: "contract set gpu.A100 --price 42.5 --from 2026-06-01 --reason c12",
  listOrderItems: "order list --language zh-CN",
  orderSubscription: "subscription order web --flavor a100.1 --term monthly",
  listSubscriptions: "subscription list --all",
  getSubscription: `subscription show ${id}`,
  updateSubscription: `subscription auto-renew ${id} --off`,
  renewSubscription: `subscription renew ${id} --term annual`,
  upgradeSubscription: `subscription upgrade ${id} --flavor a100.2`,
  quoteCancel: `subscription cancel ${id}`,
  cancelSubscription: `subscription cancel ${id}`,
  orderExpansion: `expansion order ${id} --gpus 1 --memory 64GiB --days 3`,
  listExpansions: "expansion list --all",
  getExpansion: `expansion show ${id}`,
  extendExpansion: `expansion extend ${id} --days 2`,
  releaseExpansion: `expansion release ${id}`,
  getUsageReview: "review 2026-Q2",
  listCustomers: "customer list --tier gold --stage low --sign any --name acme --state active",
  listCustomerTasks: "task list --all",
  finishCustomerTask: `task finish ${id} --note called`,
  getRevenue: "revenue --from 2026-01 --through 2026-06",
  getTier: "tier show",
  listTierChanges: "tier changes",
  overrideTier:
    "tier override gold --reason trial --approved-by Li --until 2027-01-01T00:00:00+08:00",
  endTierOverride: "tier end-override",
  submitApplication:
    "application submit --company Acme --scale 1-10 --budget 100 --demand GPUs --contact Li",
  listApplications: "application list",
  listAllApplications: "application list --all",
  withdrawApplication: `application withdraw ${id}`,
  rateApplication: `application rate ${id} --rating gold --note big`,
  listAgreements: "agreement list",
  publishAgreement: `agreement publish nda 1 --english ${json} --chinese ${json}`,
  acceptAgreement: `agreement accept ${id}`,
  listNotices: "notice list --language zh-CN",
  readNotice: `notice read ${id}`,
  listAlerts: "alert list --all",
  resolveAlert: `alert resolve ${id}`,
  getSystem: "system",
  followEvents: "events",
  getHealth: "api",
  getReadiness: "health",
  getMetrics: "api",
  recordUsage: `usage send ${json}`,
  listUsageReviews: "usage review list --all",
  resolveUsageReview: `usage review accept ${id} --note asked`,
  compareAllocation: "usage allocation",
  checkUsage: "log check",
  listUsageEvents: "usage events --month 2026-05",
  getUsageEventProof: "log proof 4711",
  getLogCheckpoint: "log checkpoint",
  getLogKey: "log key",
  getLogTile: "log tile 0/000",
  getLogConsistency: "log consistency 1 2",
  getOpenApi: "api",
};

const ids = Object.keys(operations).filter(isOperationId);
const listed = z.object({ items: z.array(z.looseObject({})) });

beforeAll(async () => {
  server = await startContractServer();
  writeFileSync(json, '{"a":1}');
  writeFileSync(jobs, '{"name":"a","flavor":"small","script":"true"}\n');
  writeFileSync(publicKey, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== me\n");
});
afterAll(async () => {
  await server.close();
  rmSync(home, { recursive: true });
});
beforeEach(() => {
  server.reset();
  server.answer("getOperation", (_seen, sample) => ({
    result: Object.assign({}, sample, { state: "succeeded" }),
  }));
  server.answer("listAgreements", (_seen, sample) => {
    const [first] = listed.parse(sample).items;
    return { result: { items: [{ ...first, id, sha256: "0".repeat(64) }] } };
  });
  server.answer("checkUsage", (_seen, sample) => ({
    result: Object.assign({}, sample, { problems: [] }),
  }));
  server.answer("checkPriceProfile", (_seen, sample) => ({
    result: Object.assign({}, sample, { problems: [] }),
  }));
  server.answer("compareAllocation", (_seen, sample) => ({
    result: Object.assign({}, sample, { differences: [] }),
  }));
  server.answer("checkLedger", (_seen, sample) => ({
    result: Object.assign({}, sample, { problems: [], heldForNothing: [] }),
  }));
  server.answer("followEvents", () => ({
    result:
      eventText({ data: { kind: "lease", id, at: "2026-05-04T02:03:04Z" } }) +
      eventText({ event: "end", data: {} }),
  }));
});

function argumentsOf(option: string, values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [option, `${name}=${value}`]);
}

function run(argv: readonly string[]): Promise<CliRun> {
  return runInside(server.url, argv, home);
}

test.each(ids.filter((each) => commands[each] !== "api"))("%s has a command", async (each) => {
  const { code, stdout, stderr } = await run(commands[each].split(" "));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).not.toBe("");
  expect(server.seen.map((seen) => seen.id)).toContain(each);
});

test.each(ids)("api %s calls it and prints its answer", async (each) => {
  server.reset();
  const { body, requestTransport, result, transport } = operations[each];
  const address = addressOf(operations[each], each);
  const inPath = argumentsOf("--param", address.params);
  const sent = bodies[each] ?? (requestTransport === "bytes" ? `@${json}` : undefined);
  expect(sent === undefined).toBe(body === undefined && requestTransport === "json");
  const named = argumentsOf("--query", address.query);
  const argv = ["api", each, ...inPath, ...named, ...(sent === undefined ? [] : ["--body", sent])];
  const { code, stdout, stderr } = await run(argv);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(server.seen.map((seen) => seen.id)).toEqual([each]);
  const expected = {
    json: () => JSON.parse(stdout === "" ? "null" : stdout),
    text: () => stdout,
    bytes: () => stdout,
    events: () => stdout.trim().split("\n").length,
  };
  const sample = sampleOf(result, each);
  expect(expected[transport]()).toEqual(
    { json: sample ?? null, text: `text of ${each}\n`, bytes: `bytes of ${each}\n`, events: 2 }[
      transport
    ],
  );
});

/** Bodies for `api`, written by hand: they are what a reader of the help would try. */
const bodies: Partial<Record<OperationId, string>> = {
  recordUsage: '[{"a":1}]',
  planRequest: '{"flavor":"small"}',
  planFleet: '{"changes":[{"do":"remove","host":"h"}]}',
  replaySchedule: '{"from":"2026-05-01T00:00:00Z","until":"2026-05-02T00:00:00Z"}',
  resolveUsageReview: '{"action":"reject","note":"wrong"}',
  createSession: '{"email":"li@example.org","password":"correct horse battery"}',
  setPassword: '{"password":"correct horse battery"}',
  inviteUser: '{"email":"li@example.org"}',
  acceptInvitation: `{"code":"mrc_${"A".repeat(43)}","password":"correct horse battery"}`,
  createTenant: '{"name":"acme"}',
  updateTenant: '{"state":"suspended"}',
  createProject: '{"name":"web"}',
  cloneLease: '{"name":"web-2"}',
  moveLease: "{}",
  createUser: '{"name":"Li","role":"user"}',
  updateUser: '{"role":"viewer"}',
  createApiKey: '{"name":"ci"}',
  createSshKey: '{"name":"me","publicKey":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== me"}',
  createOpening: '{"port":443,"sources":["203.0.113.0/24"]}',
  createFlavor:
    '{"name":"s","vcpus":1,"cpu":{"sockets":1,"cores":1,"threads":1},"memoryMiB":512,"diskGiB":4}',
  updateImage: '{"gpuDriver":"550.54.15"}',
  updateHost: '{"schedulable":false}',
  updateHostGpu: '{"healthy":false}',
  createPool: '{"name":"high-end","preset":"high-end"}',
  updatePool: '{"slicesMax":4}',
  createPriceProfile: '{"name":"draft","profile":{}}',
  checkPriceProfile: '{"profile":{}}',
  activatePriceProfile: '{"from":"2026-06-01"}',
  replayPrices: '{"profile":{},"month":"2026-05"}',
  quote: '{"flavor":"small"}',
  createLease: '{"name":"web","flavor":"small"}',
  stopLease: '{"graceSeconds":5}',
  resizeLease: '{"diskGiB":50}',
  createSnapshot: '{"name":"before"}',
  setIdlePolicy: '{"windowHours":72}',
  keepLease: '{"keep":"once"}',
  restoreSnapshot: '{"name":"web"}',
  createGroup: '{"name":"web","flavor":"small","max":4,"targets":[{"signal":"cpu","value":60}]}',
  updateGroup: '{"wanted":5}',
  setSizing: '{"vcpusMax":4,"memoryMiBMax":8192,"hourlyMax":"2.50"}',
  createJob: '{"name":"train","flavor":"small","script":"true"}',
  createJobBatch: '{"jobs":[{"name":"train","flavor":"small","script":"true"}]}',
  createTopUp: '{"amount":"100","reference":"bank"}',
  createPayment: '{"amount":"100","method":"bank_transfer"}',
  refundPayment: '{"amount":"10","reason":"closing"}',
  createBankReceipt:
    '{"bankReference":"4711","code":"MR-ABCD-EFGH","amount":"100","receivedOn":"2026-05-04"}',
  resolveBankReceipt: '{"action":"return","note":"wrong"}',
  updateQuota: '{"vcpus":4}',
  setJobPolicy: '{"noticeSeconds":120}',
  setLimit: '{"gpusMax":16}',
  setProjectLimit: '{"gpuHoursPerMonth":100}',
  setShareCap: '{"percent":50}',
  quoteOrder: '{"kind":"package","code":"P5000"}',
  buyPackage: '{"code":"P5000","expectedAmount":"5000.00"}',
  orderSubscription:
    '{"name":"web","flavor":"a100.1","term":"monthly","expectedAmount":"15000.00"}',
  updateSubscription: '{"autoRenew":true}',
  renewSubscription: '{"expectedAmount":"15000.00"}',
  upgradeSubscription: '{"flavor":"a100.2","expectedAmount":"1.00"}',
  cancelSubscription: '{"expectedRefund":"0.00"}',
  orderExpansion: '{"gpus":1,"days":3,"expectedAmount":"1800.00"}',
  extendExpansion: '{"days":3,"expectedAmount":"1800.00"}',
  orderService: '{"kind":"support_24x7","expectedAmount":"3000.00"}',
  acceptService: '{"expectedAmount":"8000.00"}',
  offerService: '{"amount":"8000","until":"2027-01-01T00:00:00Z"}',
  finishService: '{"outcome":"done","note":"done"}',
  setContractPrice: '{"sku":"gpu.A100","from":"2026-06-01","price":"42.5","reason":"c12"}',
  adoptOrphan: '{"name":"web"}',
  voidInvoice: '{"reason":"wrong"}',
  overrideTier: '{"tier":"gold","reason":"trial","approvedBy":"Li","until":"2027-01-01T00:00:00Z"}',
  submitApplication:
    '{"company":"A","scale":"1-10","monthlyBudget":"1","demand":"GPUs","contact":"Li"}',
  finishCustomerTask: '{"note":"called"}',
  rateApplication: '{"rating":"gold","note":"big"}',
  publishAgreement: '{"document":"nda","version":"1","textEn":"a","textZh":"b"}',
  acceptAgreement: `{"sha256":"${"0".repeat(64)}"}`,
};

test("the JSON of a command is the API's object, whole", async () => {
  const lease = await run(["lease", "show", id, "--output", "json"]);
  expect(JSON.parse(lease.stdout)).toEqual(sampleOf(operations.getLease.result, "getLease"));
  const offers = await run(["offers", "-o", "json"]);
  expect(JSON.parse(offers.stdout)).toEqual(sampleOf(operations.listOffers.result, "listOffers"));
});

test("an unknown operation is named with those that are near", async () => {
  const { code, stderr } = await run(["api", "leases"]);
  expect(code).toBe(66);
  expect(stderr).toContain("Did you mean listLeases?");
});

test("api --list and --schema describe the API", async () => {
  const { stdout } = await run(["api", "--list", "--quiet"]);
  expect(stdout.trim().split("\n")).toEqual(ids);
  const schema = await run(["api", "createLease", "--schema"]);
  expect(JSON.parse(schema.stdout)).toMatchObject({
    method: "POST",
    body: { properties: { flavor: {} } },
  });
});

function isOperationId(text: string): text is OperationId {
  return Object.hasOwn(operations, text);
}
