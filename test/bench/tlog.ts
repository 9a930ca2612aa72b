/**
 * How fast the metering log takes leaves: canonical text, leaf hash, tree and tiles. One process,
 * no database. `node --conditions=source test/bench/tlog.ts [leaves]`
 */
import process from "node:process";

import { canonicalJson, leafText } from "#tlog/leaf.ts";
import { nodeHasher } from "#tlog/node-crypto.ts";
import { Tree } from "#tlog/tree.ts";

const leaves = Number(process.argv[2] ?? 400_000);
const salt = new Uint8Array(16).fill(170);

function eventOf(index: number): Record<string, unknown> {
  return {
    data: {
      billable: true,
      endReason: "stopped",
      from: "2026-05-04T01:00:00.000Z",
      instanceId: "0197f3c0-1111-7222-8333-444455556666",
      plan: "on_demand",
      projectId: "0197f3c0-1111-7222-8333-444455556666",
      requestId: "0197f3c0-1111-7222-8333-444455556666",
      sku: "cpu.core",
      slice: "1",
      tenantId: "0197f3c0-1111-7222-8333-444455556666",
      units: "4",
      until: "2026-05-04T02:00:00.000Z",
    },
    datacontenttype: "application/json",
    id: `0197f3c0-1111-7222-8333-444455556666/${index}`,
    source: "millrace/meter",
    specversion: "1.0",
    subject: "0197f3c0-1111-7222-8333-444455556666",
    time: "2026-05-04T02:00:00.000Z",
    type: "compute.usage.recorded.v1",
  };
}

function rateOf(name: string, act: () => void): void {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  const perSecond = Math.round(leaves / ((user + system) / 1e6));
  process.stdout.write(`${name}: ${perSecond.toLocaleString("en")} leaves per CPU-second\n`);
}

const hasher = nodeHasher();
const tree = new Tree(hasher);
const texts: string[] = [];
rateOf("canonical text", () => {
  for (let index = 0; index < leaves; index += 1) {
    texts.push(leafText(canonicalJson(eventOf(index)), salt));
  }
});
rateOf("leaf hash, append, tiles, root", () => {
  for (const [index, text] of texts.entries()) {
    tree.append(hasher.leafOfText(text));
    if (index % 1000 === 0) tree.takeChangedTiles();
  }
  tree.root();
});
