import { expect, test } from "vitest";

import { decorate, type CallReport, type DecorateOptions } from "./decorate.ts";
import {
  ProviderError,
  type Call,
  type Listing,
  type Machine,
  type OperationRef,
  type Provider,
  type ReadCall,
} from "./provider.ts";
import { gpuHost } from "./simulated/hosts.ts";
import { ManualClock } from "./simulated/manual-clock.ts";
import type { SimulatedPlatform } from "./simulated/platform.ts";
import { openSimulated, SimulatedProvider } from "./simulated/provider.ts";

const owner = { tenantId: "t", projectId: "p", resourceId: "r" };
const read: ReadCall = { signal: new AbortController().signal };
const call = (operationId: string): Call => ({ ...read, operationId, owner });

/** A platform whose clock stands still: a call that is slow there never ends by itself. */
function slowable(options: Partial<DecorateOptions> = {}): {
  inner: SimulatedProvider;
  provider: Provider;
  reports: CallReport[];
  clock: ManualClock;
} {
  const clock = new ManualClock();
  const inner = openSimulated({ site: "s", hosts: [gpuHost("h", "T4=1")], clock });
  const reports: CallReport[] = [];
  const provider = decorate(inner, {
    answerMs: 10,
    report: (report) => reports.push(report),
    ...options,
  });
  return { inner, provider, reports, clock };
}

class Deaf extends SimulatedProvider {
  override delete(): Promise<OperationRef> {
    return new Promise(() => undefined);
  }
}

/** One call rejects, another throws before it even returns a promise. */
class Buggy extends SimulatedProvider {
  readonly #cause: Error;

  constructor(platform: SimulatedPlatform, cause: Error) {
    super(platform);
    this.#cause = cause;
  }

  override delete(): Promise<OperationRef> {
    return Promise.reject(this.#cause);
  }

  override machines(): Promise<Listing<Machine>> {
    throw this.#cause;
  }
}

test("reports each call with its time and how it ended", async () => {
  const { provider, reports, inner } = slowable();
  await provider.machines(read);
  inner.platform.faults.failNext("delete", { code: "throttled", effect: "none" });
  await expect(provider.delete(call("o"), "m")).rejects.toBeInstanceOf(ProviderError);
  expect(reports).toMatchObject([
    { site: "s", call: "machines", outcome: "ok" },
    { site: "s", call: "delete", outcome: "throttled", effect: "none" },
  ]);
  expect(reports[0]?.ms).toBeGreaterThanOrEqual(0);
});

test("a deadline aborts the driver, which may still say that nothing happened", async () => {
  const { inner, provider } = slowable({ mutationTimeoutMs: 20 });
  inner.platform.faults.slowNext("delete", 1_000_000);
  await expect(provider.delete(call("o"), "m")).rejects.toMatchObject({
    code: "unavailable",
    effect: "none",
  });
});

test("a mutation that the driver does not answer in time may have happened", async () => {
  const { inner, reports } = slowable();
  const provider = decorate(new Deaf(inner.platform), {
    mutationTimeoutMs: 20,
    answerMs: 10,
    report: (report) => reports.push(report),
  });
  await expect(provider.delete(call("o"), "m")).rejects.toMatchObject({
    code: "unavailable",
    effect: "maybe",
    cause: { name: "TimeoutError" },
  });
  expect(reports).toMatchObject([{ call: "delete", effect: "maybe" }]);
});

test("a read that is not answered in time has no effect", async () => {
  const { inner, provider } = slowable({ readTimeoutMs: 20 });
  inner.platform.faults.slowNext("read", 1_000_000);
  await expect(provider.machines(read)).rejects.toMatchObject({ effect: "none" });
});

test("what is no ProviderError becomes one, with the cause and the careful effect", async () => {
  const { inner } = slowable();
  const cause = new TypeError("a bug");
  const provider = decorate(new Buggy(inner.platform, cause));
  await expect(provider.delete(call("o"), "m")).rejects.toMatchObject({
    name: "ProviderError",
    code: "unknown",
    effect: "maybe",
    cause,
  });
  await expect(provider.machines(read)).rejects.toMatchObject({ code: "unknown", effect: "none" });
});

test("at most so many calls at once, so many waiting, and the next is throttled", async () => {
  const { inner, provider, clock } = slowable({ concurrentCallsMax: 2, waitingCallsMax: 1 });
  for (const ms of [1000, 1000]) inner.platform.faults.slowNext("read", ms);
  const [a, b, c, d] = [1, 2, 3, 4].map(() => provider.machines(read));
  await expect(d).rejects.toMatchObject({ code: "throttled", effect: "none" });
  await clock.advance(1000);
  expect(await Promise.all([a, b, c])).toHaveLength(3);
  expect((await provider.machines(read)).complete).toBe(true);
});

test("who gives up while waiting leaves the queue, and nothing has happened", async () => {
  const { inner, provider, clock } = slowable({ concurrentCallsMax: 1, waitingCallsMax: 1 });
  inner.platform.faults.slowNext("read", 1000);
  const first = provider.machines(read);
  const impatient = new AbortController();
  const second = provider.delete({ ...call("o"), signal: impatient.signal }, "m");
  impatient.abort();
  await expect(second).rejects.toMatchObject({ effect: "none" });
  const third = provider.machines(read);
  await clock.advance(1000);
  expect(await Promise.all([first, third])).toHaveLength(2);
});

test("a console outlives the deadline of opening it and ends with its caller", async () => {
  const { inner, provider, clock } = slowable({ readTimeoutMs: 30 });
  await provider.create(call("o"), {
    id: "m",
    name: "m",
    hostId: "h",
    image: "tiny",
    cpu: { sockets: 1, cores: 1, threads: 1 },
    memoryBytes: 1,
    diskBytes: 1,
    gpus: [],
    serviceClass: "core",
    network: "n",
    loginUser: "root",
    sshKeys: [],
    owner,
  });
  await clock.advance(10_000);
  const caller = new AbortController();
  const stream = await provider.console({ signal: caller.signal }, "m", "serial");
  // A call that runs into a deadline of the same length, later: that of the console is over.
  inner.platform.faults.slowNext("read", 1_000_000);
  await expect(provider.machines(read)).rejects.toMatchObject({ code: "unavailable" });
  expect(stream.destroyed).toBe(false);
  const closed = new Promise((resolve) => stream.once("close", resolve));
  caller.abort();
  await closed;
  expect(stream.destroyed).toBe(true);
});

test("changes pass through, and end with the caller", async () => {
  const { inner, provider } = slowable();
  const caller = new AbortController();
  const changes = provider.changes({ signal: caller.signal })[Symbol.asyncIterator]();
  const next = changes.next();
  caller.abort();
  expect(await next).toMatchObject({ done: true });
  await inner.close();
});
