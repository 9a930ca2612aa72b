/**
 * The processes of one control plane on a test cluster: each sees it with a driver of its own and writes
 * down what it saw, and one of them, the first, meters. When that one ends, the next takes over at once.
 */
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import type { Listing, Machine } from "#providers/provider.ts";

import type { TestCluster } from "./driver-cluster.ts";

const installation = "histories";
const callMs = 60_000;

export class Processes {
  readonly #cluster: TestCluster;
  readonly #now: () => number;
  readonly #drivers: KubevirtProvider[] = [];

  constructor(cluster: TestCluster, now: () => number) {
    this.#cluster = cluster;
    this.#now = now;
  }

  get count(): number {
    return this.#drivers.length;
  }

  /** Of the process that meters. */
  get leading(): KubevirtProvider {
    const [first] = this.#drivers;
    if (first === undefined) throw new Error("no process runs");
    return first;
  }

  start(): void {
    const { server, settings } = this.#cluster;
    this.#drivers.push(
      new KubevirtProvider({
        settings: { ...settings, nodeDiskGib: 100_000 },
        cluster: server.cluster(),
        now: this.#now,
        installation,
        runsSeenEveryMs: 5,
      }),
    );
  }

  async end(which: "leading" | "other"): Promise<void> {
    const ended = which === "leading" ? this.#drivers.shift() : this.#drivers.pop();
    await ended?.close();
  }

  async endAll(): Promise<void> {
    await Promise.all(this.#drivers.splice(0).map((driver) => driver.close()));
  }

  /** What the one that meters shows. */
  listing(): Promise<Listing<Machine>> {
    return this.leading.machines({ signal: AbortSignal.timeout(callMs) });
  }

  /** What each of them shows. */
  listings(): Promise<readonly Listing<Machine>[]> {
    const signal = AbortSignal.timeout(callMs);
    return Promise.all(this.#drivers.map((driver) => driver.machines({ signal })));
  }
}
