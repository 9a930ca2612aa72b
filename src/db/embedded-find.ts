/** Looks for the embedded server that another process of this machine started. */
import { join, resolve } from "node:path";

import { readCredentials } from "./embedded-cluster.ts";
import { connectionUrl, findPostmaster } from "./embedded-postmaster.ts";

export interface FoundEmbedded {
  readonly url: string;
  readonly adminUrl: string;
  readonly pid: number;
}

/** `undefined` when none runs for the directory (the one given to `startEmbedded`). */
export async function findEmbedded(directory: string): Promise<FoundEmbedded | undefined> {
  const cluster = join(resolve(directory), "cluster");
  const postmaster = await findPostmaster(cluster);
  if (postmaster?.state !== "ready") return undefined;
  const credentials = await readCredentials(cluster);
  return {
    url: connectionUrl(postmaster, "millrace", credentials.app),
    adminUrl: connectionUrl(postmaster, "postgres", credentials.admin),
    pid: postmaster.pid,
  };
}
