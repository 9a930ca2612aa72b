/**
 * The test cluster in a process of its own, for benchmarks: what it costs is not counted to whoever is
 * measured. It does what its parent says, and goes when that does.
 */
import { z } from "zod";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { textAt } from "#test/kube/api/json.ts";
import { startTestCluster } from "#test/kube/driver-cluster.ts";

import { multiply, touch } from "./multiply.ts";

const order = z.discriminatedUnion("do", [
  z.object({ do: z.literal("requests") }),
  z.object({ do: z.literal("running") }),
  /** As many machines more, as the one that is there: see multiply.ts. */
  z.object({ do: z.literal("multiply"), machines: z.int(), nodes: z.int() }),
  /** So many runs change a little. */
  z.object({ do: z.literal("touch"), machines: z.int() }),
  /** All watches end, and what they would resume from is forgotten: clients list anew. */
  z.object({ do: z.literal("forget") }),
]);
export type Order = z.output<typeof order>;

const [nodes = "0"] = process.argv.slice(2);
const cluster = await startTestCluster();
const { server } = cluster;
for (let number = 0; number < Number(nodes); number += 1) {
  cluster.nodes.addNode({ name: nodeName(number), cpus: 64, memoryGi: 256 });
}

process.once("disconnect", () => process.exit());
process.on("message", (message) => {
  process.send?.(answer(order.parse(message)));
});
process.send?.({ url: server.url, token: server.token });

function answer(asked: Order): object {
  switch (asked.do) {
    case "requests":
      return { requests: Object.fromEntries(server.requests), ...process.memoryUsage() };
    case "running":
      return { running: running() };
    case "multiply":
      // Copies have no pods: who acted upon them would start each anew.
      cluster.nodes.close();
      return { made: multiply(server, asked.machines, (number) => nodeName(number % asked.nodes)) };
    case "touch":
      return { touched: touch(server, asked.machines) };
    case "forget":
      server.faults.cutWatches();
      // Before they are back, so that none of them has seen it.
      touch(server, 1);
      server.objects.store.compact();
      return {};
  }
}

function running(): number {
  const all = server.objects.store.all(kinds.machineInstance);
  return all.filter((instance) => textAt(instance, "status", "phase") === "Running").length;
}

function nodeName(number: number): string {
  return `bench-${number}`;
}
