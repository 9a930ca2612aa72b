/** Ways into a machine: consoles, its SSH endpoint, and what it uses. */
import { createConnection } from "node:net";
import type { Duplex } from "node:stream";
import { expect } from "vitest";

import type { Check } from "./record.ts";

/** Enough of a replay to compare two, small enough that every console has printed it. */
const replayBytes = 16;

export const accessChecks: readonly Check[] = [
  {
    id: "serial-replay",
    title: "replays on the serial console what was printed before",
    run: async (bench) => {
      const { provider, read } = bench;
      const { id } = await bench.resident();
      const { capabilities } = await provider.info(read);
      const open = () => provider.console(read, id, "serial");
      if (!(await bench.can(capabilities.serialConsole, open))) return;
      const first = await firstBytes(await open(), replayBytes);
      const second = await firstBytes(await open(), replayBytes);
      expect(first).toBe(second);
    },
  },
  {
    id: "serial-abort",
    title: "closes a console when the caller gives up",
    run: async (bench) => {
      const { provider, read } = bench;
      const { id } = await bench.resident();
      const { capabilities } = await provider.info(read);
      const caller = new AbortController();
      const open = () => provider.console({ signal: caller.signal }, id, "serial");
      if (!(await bench.can(capabilities.serialConsole, open))) return;
      const stream = await open();
      stream.on("error", () => undefined).resume();
      caller.abort();
      await bench.until("the console is closed", bench.rig.timings.operationMs, () =>
        Promise.resolve(stream.destroyed ? true : undefined),
      );
    },
  },
  {
    id: "vnc",
    title: "speaks RFB on the VNC console",
    run: async (bench) => {
      const { provider, read } = bench;
      const { id } = await bench.resident();
      const { capabilities } = await provider.info(read);
      const open = () => provider.console(read, id, "vnc");
      if (!(await bench.can(capabilities.vncConsole, open))) return;
      expect(await firstBytes(await open(), 4)).toBe("RFB ");
    },
  },
  {
    id: "ssh",
    title: "answers as SSH where it says that it does",
    run: async (bench) => {
      const machine = await bench.resident();
      const { execution, executionReason } = await bench.provider.info(bench.read);
      const endpoint = machine.endpoints.find((each) => each.service === "ssh");
      if (execution === "simulated") {
        expect(machine.endpoints).toEqual([]);
        bench.because = executionReason;
        return;
      }
      if (endpoint === undefined) throw new Error("a ready machine has no SSH endpoint");
      const socket = createConnection({ host: endpoint.host, port: endpoint.port });
      expect(await firstBytes(socket, 4)).toBe("SSH-");
    },
  },
  {
    id: "samples",
    title: "samples what a machine uses, in figures that do not go back",
    run: async (bench) => {
      const { id } = await bench.resident();
      const [first] = await bench.provider.samples(bench.read, [id]);
      const [second] = await bench.provider.samples(bench.read, [id]);
      if (first === undefined || second === undefined) throw new Error("no sample");
      expect(first.machineId).toBe(id);
      expect(second.at).toBeGreaterThanOrEqual(first.at);
      expect(second.cpuSeconds).toBeGreaterThanOrEqual(first.cpuSeconds);
      expect(second.diskWrittenBytes).toBeGreaterThanOrEqual(first.diskWrittenBytes);
    },
  },
  {
    id: "activity",
    title: "M-VM-04: says what a machine does, and of each figure how it was seen or why not",
    run: async (bench) => {
      const { provider, read } = bench;
      const { id } = await bench.resident();
      // A guest that is busy may leave a look without its answer, which then says so; not each of them.
      const look = () =>
        bench.until("the guest tells what it does", bench.rig.timings.operationMs, async () => {
          const [seen] = await provider.activity(read, [id]);
          if (seen === undefined) throw new Error("nothing was seen of it");
          for (const how of Object.values(seen.seenBy)) expect(how).not.toBe("");
          return seen.networkBytes === null ? undefined : seen;
        });
      const first = await look();
      const second = await look();
      expect(first.machineId).toBe(id);
      expect(second.at).toBeGreaterThanOrEqual(first.at);
      for (const figure of ["cpuSeconds", "networkBytes"] as const) {
        expect(first[figure]).not.toBeNull();
        expect(second[figure] ?? -1).toBeGreaterThanOrEqual(first[figure] ?? 0);
      }
      expect(first.sessions).toBe(0);
      expect(first.memoryBytes).toBeGreaterThan(0);
      expect(first.memoryBytes).toBeLessThanOrEqual((await bench.resident()).memoryBytes);
      // A machine without a GPU has no share of one: not even zero.
      expect(first.gpuShare).toBeNull();
      for (const how of Object.values(first.seenBy)) expect(how).not.toBe("");
      await bench.done(await provider.power(bench.call(), id, { to: "stop" }));
      expect(await provider.activity(read, [id])).toEqual([]);
      await bench.resident();
    },
  },
];

async function firstBytes(stream: Duplex, count: number): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream) {
      if (!Buffer.isBuffer(chunk)) throw new Error("a console gives bytes");
      chunks.push(chunk);
      const got = Buffer.concat(chunks);
      if (got.byteLength >= count) return got.toString("latin1", 0, count);
    }
    throw new Error(`the stream ended before ${count} bytes`);
  } finally {
    stream.destroy();
  }
}
