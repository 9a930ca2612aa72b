/**
 * The API over simulated hosts with GPUs, as tests of orders need it: everything, the platform too,
 * lives by one clock that runs and can be set forward.
 */
import { afterAll, vi } from "vitest";
import { z } from "zod";

import { createServer } from "#api/server.ts";
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
import { createTenant } from "#identity/tenants.ts";
import { parseFen } from "#kernel/money.ts";
import type { Observer } from "#observe/observer.ts";
import { subscriptionLoop } from "#orders/loop.ts";
import { decorate } from "#providers/decorate.ts";
import { systemClock } from "#providers/simulated/clock.ts";
import { gpuHost } from "#providers/simulated/hosts.ts";
import { openSimulated, type SimulatedProvider } from "#providers/simulated/provider.ts";

import { emptyServices } from "#test/api-server.ts";
import { testDatabase } from "#test/database.ts";
import { startStages } from "./cloud.ts";

export interface Customer {
  readonly tenantId: string;
  readonly api: Client;
}

export interface OrderCloud {
  readonly db: Db;
  readonly observer: Observer;
  readonly provider: SimulatedProvider;
  readonly now: () => number;
  readonly advance: (ms: number) => void;
  readonly customer: (yuan: string) => Promise<Customer>;
  readonly topUp: (of: Customer, yuan: string) => Promise<void>;
  /** Lets the loop look until what is said holds. */
  readonly until: <T>(check: () => Promise<T>) => Promise<T>;
  /** One look of the loop at what is due. */
  readonly look: () => Promise<void>;
}

const timeoutMs = 15_000;

export async function orderCloud(start: string): Promise<OrderCloud> {
  const { db, url: databaseUrl, observer } = await testDatabase();
  let offset = Date.parse(`${start}+08:00`) - Date.now();
  const now = (): number => Date.now() + offset;
  const provider = openSimulated({
    site: "simulated",
    hosts: [gpuHost("h1", "A100=8")],
    latencies: { createMs: 5, bootMs: 5, shutdownMs: 5 },
    clock: { now, wait: (ms, signal) => systemClock.wait(ms, signal) },
  });
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
  const server = createServer({ db, observer, handlers, services, now, limits: { drainMs: 1000 } });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  afterAll(async () => {
    await server.close();
    await nudges.close();
  });
  startStages({ db, observer, provider: decorate(provider), now });
  await vi.waitFor(async () => {
    await db.one(sql`select id from host`, z.object({ id: z.string() }));
  }, timeoutMs);
  const loop = subscriptionLoop({ db, now });
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
    observer,
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
