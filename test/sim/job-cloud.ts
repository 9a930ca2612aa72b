/**
 * The API with the stages behind it over simulated hosts, as tests of jobs need it: customers with
 * money, the typed client, and the platform to break.
 */
import { afterAll, vi } from "vitest";
import { z } from "zod";

import { createServer } from "#api/server.ts";
import { handlers } from "#app/handlers.ts";
import { addPresetFlavors } from "#catalog/flavors.ts";
import { recordImage } from "#catalog/images.ts";
import { seedPriceProfile } from "#catalog/price-profiles.ts";
import { createClient, type Client } from "#client/client.ts";
import type { BytesAnswer } from "#client/streams.ts";
import type { AnswerOf, RequestOf } from "#client/types.ts";
import type { Job } from "#contract/schemas/jobs.ts";
import { changesOf } from "#db/changes.ts";
import { listenForNudges } from "#db/listen.ts";
import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { createTenant } from "#identity/tenants.ts";
import { fen } from "#kernel/money.ts";
import type { Observer } from "#observe/observer.ts";
import { decorate } from "#providers/decorate.ts";
import type { Capabilities } from "#providers/provider.ts";
import { systemClock } from "#providers/simulated/clock.ts";
import { openSimulated, type SimulatedProvider } from "#providers/simulated/provider.ts";

import { emptyServices } from "#test/api-server.ts";
import { testDatabase } from "#test/database.ts";
import { startStages, storageFolder, type Running } from "./cloud.ts";

const gib = 2 ** 30;
export const endTimeoutMs = 45_000;

export type StartHow = Partial<
  Pick<Parameters<typeof startStages>[0], "db" | "limits" | "collecting">
>;

export interface JobCloud {
  readonly db: Db;
  readonly observer: Observer;
  readonly provider: SimulatedProvider;
  /** Of the tenants' files. */
  readonly root: string;
  readonly url: string;
  readonly tenantId: string;
  readonly secret: string;
  readonly api: Client;
  /** Of another customer. */
  readonly stranger: Client;
  /** Time goes by at once, for the platform and for us. */
  readonly forward: (ms: number) => void;
  /** Starts the stages and waits until there is a host. */
  readonly start: (how?: StartHow) => Promise<Running>;
  readonly upload: (name: string, content: string) => Promise<AnswerOf<"uploadFile">>;
  /** `nano` and a name unless it says otherwise. */
  readonly submit: (ask: Partial<RequestOf<"createJob">["body"]>) => Promise<Job>;
  readonly job: (id: string) => Promise<Job>;
  /** Waits until it is in that state. */
  readonly until: (id: string, state: Job["state"]) => Promise<Job>;
  readonly ended: (id: string) => Promise<Job>;
  readonly log: (id: string, attempt?: number) => Promise<string>;
}

/** `gpus`: T4 devices of each of its hosts, which is `h1` alone unless others are named. */
export async function jobCloud(
  options: {
    readonly gpus?: readonly string[];
    readonly hosts?: readonly string[];
    readonly capabilities?: Partial<Capabilities>;
  } = {},
): Promise<JobCloud> {
  let aheadMs = 0;
  const now = (): number => Date.now() + aheadMs;
  const { db, url: databaseUrl, observer } = await testDatabase();
  const root = storageFolder();
  const provider = openSimulated({
    site: "simulated",
    hosts: (options.hosts ?? ["h1"]).map((host) => ({
      id: host,
      cpus: 64,
      memoryBytes: 256 * gib,
      diskBytes: 1000 * gib,
      gpus: (options.gpus ?? []).map((id) => ({
        id,
        model: "T4",
        memoryBytes: 16 * gib,
        isolation: "hard",
        slicesMax: 4,
      })),
      labels: {},
    })),
    clock: { ...systemClock, now },
    latencies: { createMs: 5, bootMs: 5, shutdownMs: 5 },
    ...(options.capabilities === undefined ? {} : { capabilities: options.capabilities }),
  });
  const secrets = await db.transaction(async (tx) => {
    await seedPriceProfile(tx);
    await addPresetFlavors(tx);
    const opened = [];
    for (const name of ["customer", "stranger"]) {
      const { tenant, administrator } = await createTenant(tx, { name, now: Date.now() });
      const amount = fen(100_000_00n);
      await recordTopUp(tx, tenant.id, { reference: name, amount, at: Date.now() });
      opened.push({ tenantId: tenant.id, secret: administrator.secret });
    }
    return opened;
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
  const server = createServer({
    db,
    observer,
    handlers,
    services: { ...emptyServices, storageDirectory: root, changes: changesOf(nudges) },
    now,
    limits: { drainMs: 1000 },
  });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  afterAll(async () => {
    await server.close();
    await nudges.close();
  });
  const start = async (how: StartHow = {}): Promise<Running> => {
    const stages = { db, observer, provider: decorate(provider), storage: root, now, ...how };
    const running = startStages(stages);
    await vi.waitFor(async () => {
      await db.one(sql`select id from host limit 1`, z.object({ id: z.string() }));
    }, endTimeoutMs);
    return running;
  };
  const clientOf = (credential: string): Client => createClient({ baseUrl: url, credential });
  const [own, other] = secrets;
  if (own === undefined || other === undefined) throw new Error("no tenants");
  const api = clientOf(own.secret);
  const job = (id: string): Promise<Job> => api.call("getJob", { params: { jobId: id } });
  const waitFor = (id: string, isThere: (job: Job) => boolean): Promise<Job> =>
    vi.waitFor(
      async () => {
        const found = await job(id);
        if (!isThere(found)) throw new Error(`the job is still ${JSON.stringify(found)}`);
        return found;
      },
      { timeout: endTimeoutMs, interval: 20 },
    );
  return {
    db,
    observer,
    provider,
    root,
    url,
    ...own,
    api,
    stranger: clientOf(other.secret),
    start,
    forward: (ms) => {
      aheadMs += ms;
    },
    upload: (name, content) =>
      api.upload("uploadFile", { query: { name }, content: new Blob([content]) }),
    submit: (ask) => api.call("createJob", { body: { name: "train", flavor: "nano", ...ask } }),
    job,
    until: (id, state) => waitFor(id, (found) => found.state === state),
    ended: (id) => waitFor(id, (found) => found.endedAt !== null),
    log: async (id, attempt) => {
      const query = attempt === undefined ? {} : { attempt };
      return (
        await whole(await api.bytes("readJobLog", { params: { jobId: id }, query }))
      ).toString();
    },
  };
}

export async function whole({ chunks }: BytesAnswer): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of chunks) parts.push(part);
  return Buffer.concat(parts);
}
