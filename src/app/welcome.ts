/** What a person reads when the cloud is up. */
import { z } from "zod";

import { sql } from "#db/sql.ts";

import type { App } from "./app.ts";

const siteRow = z.object({ name: z.string(), execution: z.string(), execution_reason: z.string() });
const inventoryWaitMs = 20_000;
const lookMs = 100;

export async function welcome(app: App, startedAt: number): Promise<string> {
  const sites = await knownSites(app);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const credential =
    app.operator === undefined
      ? ["  Operator    the key was shown at the first start (operator.json in the data directory)"]
      : [`  Operator    ${app.operator.secret}`, "              (shown this once; keep it)"];
  return [
    "",
    `Millrace is up after ${seconds} s.`,
    "",
    `  URL         ${app.url ?? ""}`,
    ...credential,
    `  Data        ${app.data.path}`,
    ...sites.map(
      (site) => `  Machines    ${site.name}: ${said(site.execution)}${site.execution_reason}`,
    ),
    "",
    "Try:",
    "  ./millrace login --local        sign in as the operator on this machine",
    "  ./millrace offers               what can be rented, and its price",
    "  npm run tour                    rent a real VM, run a real job, read the bill",
    "",
  ].join("\n");
}

function said(execution: string): string {
  if (execution === "kvm") return "KVM. ";
  return execution === "emulated" ? "emulated, therefore slow. " : "simulated. ";
}

/** The first inventory may still be on its way. */
async function knownSites(app: App): Promise<z.output<typeof siteRow>[]> {
  const until = performance.now() + inventoryWaitMs;
  for (;;) {
    const sites = await app.db.rows(
      sql`select name, execution, execution_reason from site order by name`,
      siteRow,
    );
    if (sites.length >= app.sitesExpected || performance.now() > until) return sites;
    await new Promise((resolve) => {
      setTimeout(resolve, lookMs);
    });
  }
}
