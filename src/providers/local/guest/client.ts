/**
 * What the host can ask a guest's agent, as methods. A call ends with its answer or with its
 * signal, which is its deadline; see channel.ts.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";

import { assert } from "#kernel/assert.ts";

import { GuestChannel, type GuestCall, type GuestChannelOptions } from "./channel.ts";
import * as protocol from "./protocol.ts";

const chunkBytes = 256 * 1024;

export class GuestClient {
  readonly #channel: GuestChannel;

  constructor(options: GuestChannelOptions) {
    this.#channel = new GuestChannel(options);
  }

  /** Resolves as soon as the guest has booted. */
  async hello(call: GuestCall): Promise<protocol.Hello> {
    return (
      await this.#channel.ask(call, {
        method: "hello",
        parameters: {},
        schema: protocol.helloSchema,
      })
    ).result;
  }

  /** Waits for the guest, then makes it the instance, with the time and randomness of that moment. */
  async personalize(call: GuestCall, identity: protocol.Identity): Promise<protocol.Personalized> {
    await this.hello(call);
    const ask = { ...identity, ...freshness(), hostKey: newHostKey() };
    return (
      await this.#channel.ask(call, {
        method: "personalize",
        parameters: ask,
        schema: protocol.personalizedSchema,
      })
    ).result;
  }

  /** Clock and random pool, after the machine stood still or went back. */
  async refresh(call: GuestCall): Promise<void> {
    await this.hello(call);
    await this.#channel.ask(call, {
      method: "refresh",
      parameters: freshness(),
      schema: protocol.nothingSchema,
    });
  }

  /** Forgets keys and identity, so that copies can be made of the machine. */
  async seal(call: GuestCall): Promise<void> {
    await this.#channel.ask(call, {
      method: "seal",
      parameters: {},
      schema: protocol.nothingSchema,
    });
  }

  /** Takes plugged CPUs and memory and grows the root file system to its disk. */
  async resizeOnline(
    call: GuestCall,
    expected: {
      readonly diskBytes?: number;
      readonly cpus?: number;
      readonly memoryBytes?: number;
    } = {},
  ): Promise<protocol.Resized> {
    return (
      await this.#channel.ask(call, {
        method: "resize.online",
        parameters: { ...expected },
        schema: protocol.resizedSchema,
      })
    ).result;
  }

  async sync(call: GuestCall): Promise<void> {
    await this.#channel.ask(call, {
      method: "sync",
      parameters: {},
      schema: protocol.nothingSchema,
    });
  }

  /** Bytes over its cards since it booted, and SSH connections that stand. */
  async activity(call: GuestCall): Promise<protocol.GuestActivity> {
    return (
      await this.#channel.ask(call, {
        method: "activity",
        parameters: {},
        schema: protocol.activitySchema,
      })
    ).result;
  }

  /** The guest has understood; it goes down a moment later. */
  async shutdown(call: GuestCall): Promise<void> {
    await this.#channel.ask(call, {
      method: "shutdown",
      parameters: {},
      schema: protocol.nothingSchema,
    });
  }

  /** Bytes of the inputs, a tar file, at an offset that was reached before. */
  async workloadInput(
    call: GuestCall,
    ask: { readonly workloadId: string; readonly offset: number; readonly bytes: Buffer },
  ): Promise<void> {
    assert(ask.bytes.length <= chunkBytes, "a chunk of inputs is too large");
    const { workloadId, offset, bytes } = ask;
    const parameters = { workloadId, offset };
    await this.#channel.ask(call, {
      method: "workload.input",
      parameters,
      schema: protocol.inputSchema,
      bytes,
    });
  }

  /** Starts it, or says how it is if it was started before. */
  async workloadStart(
    call: GuestCall,
    plan: protocol.WorkloadPlan,
  ): Promise<protocol.GuestWorkload> {
    return (
      await this.#channel.ask(call, {
        method: "workload.start",
        parameters: { ...plan },
        schema: protocol.workloadSchema,
      })
    ).result;
  }

  async workloadStatus(call: GuestCall): Promise<protocol.GuestWorkload> {
    return (
      await this.#channel.ask(call, {
        method: "workload.status",
        parameters: {},
        schema: protocol.workloadSchema,
      })
    ).result;
  }

  /** Bytes of the log from `offset`; none at its end so far. `ended`: nothing follows `total`. */
  async workloadLog(
    call: GuestCall,
    range: { readonly offset: number; readonly bytesMax: number },
  ): Promise<{ bytes: Buffer; total: number; state: "running" | "ended" }> {
    const ask = { offset: range.offset, bytesMax: Math.min(range.bytesMax, chunkBytes) };
    const { result, payload } = await this.#channel.ask(call, {
      method: "workload.log",
      parameters: ask,
      schema: protocol.logSchema,
    });
    return { ...result, bytes: payload };
  }

  /** Bytes of the results, a tar file, from `offset`; none at its end. */
  async workloadResults(
    call: GuestCall,
    range: { readonly offset: number; readonly bytesMax: number },
  ): Promise<{ bytes: Buffer; total: number }> {
    const ask = { offset: range.offset, bytesMax: Math.min(range.bytesMax, chunkBytes) };
    const schema = protocol.resultsSchema;
    const { result, payload } = await this.#channel.ask(call, {
      method: "workload.results",
      parameters: ask,
      schema: schema,
    });
    return { ...result, bytes: payload };
  }

  async workloadCancel(call: GuestCall): Promise<protocol.GuestWorkload> {
    return (
      await this.#channel.ask(call, {
        method: "workload.cancel",
        parameters: {},
        schema: protocol.workloadSchema,
      })
    ).result;
  }

  /** It is to save its work and to end within `graceMs`; without that it may go on after all. */
  async workloadInterrupt(
    call: GuestCall,
    how: { readonly graceMs?: number },
  ): Promise<protocol.GuestWorkload> {
    return (
      await this.#channel.ask(call, {
        method: "workload.interrupt",
        parameters: { ...how },
        schema: protocol.workloadSchema,
      })
    ).result;
  }

  /** Log, results and end are safe with us: the guest may forget the workload. */
  async workloadAcknowledge(call: GuestCall, workloadId: string): Promise<void> {
    await this.#channel.ask(call, {
      method: "workload.acknowledge",
      parameters: { workloadId },
      schema: protocol.nothingSchema,
    });
  }

  /** Ends what is under way with an error. */
  close(): void {
    this.#channel.close();
  }
}

/**
 * An SSH host key for an instance that has none. The guest could make it, but starting a program for
 * it takes an emulated guest longer than anything else here; and a host sees its guests' memory.
 */
function newHostKey(): { readonly seed: string; readonly public: string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  const { d = "", x = "" } = privateKey.export({ format: "jwk" });
  const parts = [Buffer.from("ssh-ed25519"), Buffer.from(x, "base64url")];
  const blob = Buffer.concat(parts.flatMap((part) => [lengthOf(part), part]));
  return {
    seed: Buffer.from(d, "base64url").toString("hex"),
    public: `ssh-ed25519 ${blob.toString("base64")}`,
  };
}

function lengthOf(part: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.length);
  return length;
}

function freshness(): { epochMs: number; entropy: string } {
  return { epochMs: Date.now(), entropy: randomBytes(64).toString("hex") };
}
