/** All commands, put together. */
import { readFileSync } from "node:fs";

import { Command, Option } from "commander";
import { z } from "zod";

import { addApi } from "./commands/api.ts";
import { addBillBundle } from "./commands/bill-bundle.ts";
import { addBillExplain } from "./commands/bill-explain.ts";
import { addBilling } from "./commands/billing.ts";
import { addCatalog } from "./commands/catalog.ts";
import { addCompletion } from "./commands/completion.ts";
import { addConsole } from "./commands/console.ts";
import { addContracts } from "./commands/contract.ts";
import { addAgreements, addApplications, addTier } from "./commands/customer.ts";
import { addExpansions } from "./commands/expansion.ts";
import { addFiles } from "./commands/file.ts";
import { addFlavors } from "./commands/flavor.ts";
import { addGroups } from "./commands/group.ts";
import { addHosts } from "./commands/host.ts";
import { addIdle, addIdleLeases } from "./commands/idle.ts";
import { addInsights, addReview } from "./commands/insight.ts";
import { addInvoices, addStatement } from "./commands/invoice.ts";
import { addJobs } from "./commands/job.ts";
import { addJobLogs } from "./commands/job-logs.ts";
import { addJobSubmit } from "./commands/job-submit.ts";
import { addKeys } from "./commands/key.ts";
import { addLeases } from "./commands/lease.ts";
import { addLeaseChanges } from "./commands/lease-change.ts";
import { addLeaseClone } from "./commands/lease-clone.ts";
import { addLeaseSizes } from "./commands/lease-size.ts";
import { addLog } from "./commands/log.ts";
import { addLocal } from "./commands/local.ts";
import { addLogin } from "./commands/login.ts";
import { addAlerts, addNotices } from "./commands/notice.ts";
import { addOpenings } from "./commands/opening.ts";
import { addOperations } from "./commands/operation.ts";
import { addOrders } from "./commands/order.ts";
import { addPackages } from "./commands/package.ts";
import { addOrphans } from "./commands/orphan.ts";
import { addPayments } from "./commands/payment.ts";
import { addPlatform } from "./commands/platform.ts";
import { addPriceList } from "./commands/price-list.ts";
import { addProfiles } from "./commands/profile.ts";
import { addPlans } from "./commands/plan.ts";
import { addPools } from "./commands/pool.ts";
import { addJobPolicy } from "./commands/job-policy.ts";
import { addLedger } from "./commands/ledger.ts";
import { addLimit } from "./commands/limit.ts";
import { addQueue } from "./commands/queue.ts";
import { addQuota } from "./commands/quota.ts";
import { addSchedule } from "./commands/schedule.ts";
import { addServices } from "./commands/service.ts";
import { addSignIn } from "./commands/sign-in.ts";
import { addSites } from "./commands/site.ts";
import { addSnapshots } from "./commands/snapshot.ts";
import { addSsh } from "./commands/ssh.ts";
import { addSubscriptions } from "./commands/subscription.ts";
import { addTenants } from "./commands/tenant.ts";
import { addUsers } from "./commands/user.ts";
import { addVerify } from "./commands/verify.ts";
import { addWhy } from "./commands/why.ts";
import { group, type Shell } from "./define.ts";
import { environmentHelp } from "./environment.ts";
import type { Surroundings } from "./session.ts";

export async function runProgram(
  argv: readonly string[],
  surroundings: Surroundings,
): Promise<void> {
  const dashes = argv.indexOf("--");
  const rest = dashes === -1 ? [] : argv.slice(dashes + 1);
  await buildProgram({ surroundings, rest }).parseAsync(argv, { from: "user" });
}

export function buildProgram(shell: Shell): Command {
  const { surroundings } = shell;
  const program = new Command("millrace")
    .description("Rent virtual machines, run jobs, and see what they cost.")
    .version(readVersion(), "-V, --version", "print the version")
    .addOption(
      new Option("-o, --output <format>", "what to print")
        .choices(["table", "json"])
        .default("table"),
    )
    .option("-q, --quiet", "print ids only")
    .option("--tenant <tenant>", "for the operator: the tenant to act for, by name or id")
    .option("--login <name>", "the stored login to use")
    .option("--url <url>", "URL of the server")
    .addHelpText("after", environmentHelp)
    .showHelpAfterError("Add --help to see how it is used.")
    .configureOutput({
      writeOut: (text) => {
        surroundings.stdout.write(text);
      },
      writeErr: (text) => {
        surroundings.stderr.write(text);
      },
      outputError: (text, write) => {
        write(text.replace(/^error: /, "millrace: "));
      },
    })
    .exitOverride();

  program.commandsGroup("Who you are:");
  addLogin(program, shell);
  program.commandsGroup("What can be had:");
  addCatalog(program, shell);
  addPriceList(program, shell);
  program.commandsGroup("Machines:");
  const lease = group(program, "lease", "Dedicated virtual machines");
  addLeases(lease, shell);
  addLeaseClone(lease, shell);
  addLeaseChanges(lease, shell);
  addIdleLeases(lease, shell);
  addLeaseSizes(lease, shell);
  addGroups(program, shell);
  addSsh(program, shell);
  addOpenings(program, shell);
  addConsole(program, shell);
  addSnapshots(program, shell);
  program.commandsGroup("Jobs:");
  const job = group(program, "job", "Scripts and commands that run in fresh machines");
  addJobSubmit(job, shell);
  addJobs(job, shell);
  addJobLogs(job, shell);
  addFiles(program, shell);
  program.commandsGroup("Money:");
  addBilling(program, shell);
  addPayments(program, shell);
  addStatement(program, shell);
  addInvoices(program, shell);
  const bill = group(program, "bill", "What a bill rests on, and the proof of it");
  addBillExplain(bill, shell);
  addBillBundle(bill, shell);
  addVerify(program, shell);
  addLog(program, shell);
  addPackages(program, shell);
  addSubscriptions(program, shell);
  addExpansions(program, shell);
  addServices(program, shell);
  addOrders(program, shell);
  addContracts(program, shell);
  addQuota(program, shell);
  addLimit(program, shell);
  addJobPolicy(program, shell);
  addReview(program, shell);
  addTier(program, shell);
  addApplications(program, shell);
  addAgreements(program, shell);
  addNotices(program, shell);
  program.commandsGroup("People and keys:");
  addTenants(program, shell);
  addUsers(program, shell);
  addKeys(program, shell);
  addSignIn(program, shell);
  program.commandsGroup("For the operator:");
  addHosts(program, shell);
  addPools(program, shell);
  addPlans(program, shell);
  addSchedule(program, shell);
  addWhy(program, shell);
  addQueue(program, shell);
  addOrphans(program, shell);
  addSites(program, shell);
  addFlavors(program, shell);
  addProfiles(program, shell);
  addLedger(program, shell);
  addAlerts(program, shell);
  addInsights(program, shell);
  addIdle(program, shell);
  addPlatform(program, shell);
  addLocal(program, shell);
  program.commandsGroup("Everything else:");
  addOperations(program, shell);
  addApi(program, shell);
  addCompletion(program, shell);
  return program;
}

function readVersion(): string {
  // The same distance from src/cli and from dist/cli.
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
