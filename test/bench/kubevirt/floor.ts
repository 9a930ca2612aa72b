/** What listing takes at least: the pages of machines and runs are got and parsed, and nothing is kept. */
import { z } from "zod";

import { collectionPath, type Kind } from "#providers/kubevirt/client/kind.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import type { BenchCluster } from "./cluster.ts";

const page = z.object({ metadata: z.object({ continue: z.string().optional() }) });

/** Seconds of CPU. */
export async function bareList({ url, token }: BenchCluster): Promise<number> {
  const before = process.cpuUsage();
  for (const kind of [kinds.machine, kinds.machineInstance, kinds.service]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await bareListOf(kind, url, token);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

async function bareListOf(kind: Kind, url: string, token: string): Promise<void> {
  for (let next = ""; ;) {
    const query = new URLSearchParams({ limit: "500", continue: next });
    // oxlint-disable-next-line no-await-in-loop -- each page names the next
    const response = await fetch(`${url}${collectionPath(kind, undefined)}?${query.toString()}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    // oxlint-disable-next-line no-await-in-loop
    next = page.parse(JSON.parse(await response.text())).metadata.continue ?? "";
    if (next === "") return;
  }
}
