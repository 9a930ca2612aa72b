/**
 * The API over simulated hosts with GPUs, as tests of orders need it: everything, the platform too,
 * lives by one clock that runs and can be set forward.
 */
import { afterAll, vi } from "vitest";
import { z } from "zod";

import { createServer } from "#api/server.ts";
import { noFront } from "#api/visitor.ts";
import { consolesWatched } from "#app/consoles.ts";
import { handlers } from "#app/handlers.ts";
import { addFlavor, addPresetFlavors } from "#catalog/flavors.ts";
import { recordImage } from "#catalog/images.ts";
import { seedPriceProfile } from "#catalog/price-profiles.ts";
import { flavorPresets } from "#catalog/presets.ts";
import { createClient, type Client } from "#client/client.ts";
import { createFlavorBody } from "#contract/schemas/catalog.ts";
import { changesOf } from "#db/changes.ts";
import { listenForNudges } from "#db/listen.ts";
import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { ensureOperator } from "#identity/operator.ts";
import { createTenant } from "#identity/tenants.ts";
import { present } from "#kernel/assert.ts";
import { parseFen } from "#kernel/money.ts";
import type { Observer } from "#observe/observer.ts";
import { subscriptionLoop } from "#orders/loop.ts";
import { decorate } from "#providers/decorate.ts";
import type { Capabilities } from "#providers/provider.ts";
import { systemClock } from "#providers/simulated/clock.ts";
import { gpuHost } from "#providers/simulated/hosts.ts";
import { openSimulated, type SimulatedProvider } from "#providers/simulated/provider.ts";

import { emptyServices } from "#test/api-server.ts";
import { testDatabase } from "#test/database.ts";
import { startStages } from "./cloud.ts";

export interface Customer {
  readonly tenantId: string;
  readonly api: Client;
  readonly secret: string;
}

export interface OrderCloud {
  readonly db: Db;
  readonly url: string;
  readonly observer: Observer;
  readonly provider: SimulatedProvider;
  readonly now: () => number;
  readonly advance: (ms: number) => void;
  readonly customer: (yuan: string) => Promise<Customer>;
  /** The API's operator, acting for a customer. */
  readonly operator: (of: Customer) => Client;
  readonly topUp: (of: Customer, yuan: string) => Promise<void>;
  /** Lets the loop look until what is said holds. */
  readonly until: <T>(check: () => Promise<T>) => Promise<T>;
  /** One look of the loop at what is due. */
  readonly look: () => Promise<void>;
}

const timeoutMs = 45_000;

export async function orderCloud(
  start: string,
  {
    gpus = "A100=8",
    capabilities = {},
    wrap = (db) => db,
  }: {
    readonly gpus?: string;
    /** What its platform can do less, or more. */
    readonly capabilities?: Partial<Capabilities>;
    /** What the API and the loop of orders have of the database; the platform's stages have all. */
    readonly wrap?: (db: Db) => Db;
  } = {},
): Promise<OrderCloud> {
  const { db, url: databaseUrl, observer } = await testDatabase();
  const seen = wrap(db);
  let offset = Date.parse(`${start}+08:00`) - Date.now();
  const now = (): number => Date.now() + offset;
  const provider = openSimulated({
    site: "simulated",
    hosts: [gpuHost("h1", gpus)],
    latencies: { createMs: 5, bootMs: 5, shutdownMs: 5 },
    capabilities,
    clock: { now, wait: (ms, signal) => systemClock.wait(ms, signal) },
  });
  const operator = present(
    await db.transaction((tx) => ensureOperator(tx, now())),
    "operator of a new database",
  );
  await db.transaction(async (tx) => {
    await seedPriceProfile(tx);
    await addPresetFlavors(tx);
    const wrong = { ...flavorPresets[0], name: "mislabeled", subscriptionSku: "vm.a100x1" };
    await addFlavor(tx, createFlavorBody.parse(wrong));
  });
  await recordImage(db, {
    name: "tiny",
    description: "Simulated",
    defaultUser: "root",
    minMemoryMiB: 1,
    minDiskGiB: 1,
    takesUserData: false,
    state: "ready",
  });
  const nudges = listenForNudges(databaseUrl, observer);
  const services = { ...emptyServices, changes: changesOf(nudges) };
  const consoles = consolesWatched({
    db,
    observer,
    providers: [decorate(provider)],
    now,
    front: noFront,
    pingEveryMs: 20,
  });
  const server = createServer({
    upgrade: consoles.upgrade,
    db: seen,
    observer,
    handlers,
    services,
    now,
    limits: { drainMs: 1000 },
  });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  afterAll(async () => {
    consoles.close();
    await server.close();
    await nudges.close();
  });
  startStages({ db, observer, provider: decorate(provider), now });
  await vi.waitFor(async () => {
    await db.one(sql`select id from host`, z.object({ id: z.string() }));
  }, timeoutMs);
  const loop = subscriptionLoop({ db: seen, now });
  const quit = new AbortController();
  const look = async (): Promise<void> => {
    await loop.pass(quit.signal);
  };
  let customers = 0;
  let payments = 0;
  const topUp = async ({ tenantId }: Customer, yuan: string): Promise<void> => {
    payments += 1;
    const ask = { reference: `p${payments}`, amount: parseFen(yuan), at: now() };
    await db.tenant(tenantId, (tx) => recordTopUp(tx, tenantId, ask));
  };
  return {
    db,
    url,
    observer,
    operator: ({ tenantId }) =>
      createClient({ baseUrl: url, credential: operator.secret, tenant: tenantId }),
    provider,
    now,
    look,
    topUp,
    advance: (ms) => {
      offset += ms;
    },
    customer: async (yuan) => {
      customers += 1;
      const ask = { name: `customer-${customers}`, now: now() };
      const { tenant, administrator } = await db.transaction((tx) => createTenant(tx, ask));
      const of = {
        tenantId: tenant.id,
        api: createClient({ baseUrl: url, credential: administrator.secret }),
        secret: administrator.secret,
      };
      await topUp(of, yuan);
      return of;
    },
    until: (check) =>
      vi.waitFor(
        async () => {
          await look();
          return check();
        },
        { timeout: timeoutMs, interval: 30 },
      ),
  };
}
