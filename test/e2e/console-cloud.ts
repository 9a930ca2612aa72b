/** A throwaway cloud with the console as it is built, and its customers. */
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";

import { createClient, type Client } from "#client/client.ts";
import { startThrowaway, type Cloud } from "#tour/cloud.ts";

const root = resolve(import.meta.dirname, "../..");

export interface ConsoleCloud extends Cloud {
  readonly operator: Client;
  readonly customer: (name: string, money?: string) => Promise<Customer>;
}

export interface Customer {
  readonly id: string;
  readonly key: string;
  readonly client: Client;
}

/** Without local machines unless told otherwise: GPUs that are simulated, and everything is quick. */
export async function startConsoleCloud(
  flags: readonly string[] = ["--local", "off", "--simulate-gpus", "A100=4,T4=8"],
): Promise<ConsoleCloud> {
  await buildConsole();
  const cloud = await startThrowaway({
    signal: new AbortController().signal,
    flags,
    program: ["--conditions=source", resolve(root, "src/main.ts")],
  });
  return withCustomers(cloud);
}

/** `npm test` has built it; whoever runs one file alone gets what the sources say, too. */
export async function buildConsole(): Promise<void> {
  await promisify(execFile)(process.execPath, ["bin/setup.mjs", "console"], { cwd: root });
}

export function withCustomers<C extends Cloud>(cloud: C): C & ConsoleCloud {
  const operator = createClient({ baseUrl: cloud.url, credential: cloud.key });
  return {
    ...cloud,
    operator,
    customer: async (name, money) => {
      const made = await operator.call("createTenant", { body: { name } });
      const { id } = made.tenant;
      if (money !== undefined) {
        const forThem = createClient({ baseUrl: cloud.url, credential: cloud.key, tenant: id });
        await forThem.call("createTopUp", { body: { amount: money, reference: `for ${name}` } });
      }
      const key = made.administrator.secret;
      return { id, key, client: createClient({ baseUrl: cloud.url, credential: key }) };
    },
  };
}
