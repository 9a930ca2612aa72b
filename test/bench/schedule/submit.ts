/** Submits jobs with so many requests in flight, tenant after tenant, and counts what was taken. */
import type { Client } from "#client/client.ts";

import { jobBody } from "./work.ts";

export interface Submission {
  readonly clients: readonly Client[];
  readonly jobs: number;
  readonly batch: number;
  readonly atOnce: number;
  /** Where the numbering of names begins. */
  readonly from: number;
}

/** How many were accepted. */
export async function submitAll(of: Submission): Promise<number> {
  let next = 0;
  let accepted = 0;
  const sender = async (): Promise<void> => {
    while (next < of.jobs) {
      const first = next;
      next = Math.min(of.jobs, next + of.batch);
      const client = of.clients[Math.floor(first / of.batch) % of.clients.length];
      if (client === undefined) return;
      const taken = await submitOne(client, of.from + first, of.from + next);
      accepted += taken;
    }
  };
  await Promise.all(Array.from({ length: of.atOnce }, sender));
  return accepted;
}

async function submitOne(client: Client, from: number, until: number): Promise<number> {
  if (until - from === 1) {
    await client.call("createJob", { body: jobBody(from) });
    return 1;
  }
  const jobs = Array.from({ length: until - from }, (_, index) => jobBody(from + index));
  const { accepted, results } = await client.call("createJobBatch", { body: { jobs } });
  const refused = results.find(({ outcome }) => outcome === "refused");
  if (refused !== undefined) throw new Error(JSON.stringify(refused));
  return accepted;
}
