/** From a parsed request to the handler and back to what is sent: one way per kind of operation. */
import { Readable } from "node:stream";

import type { Operation } from "#contract/operation.ts";
import { operations } from "#contract/operations.ts";
import { assert } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";

import { isMutation } from "./authorize.ts";
import type { Call, Environment, Incoming } from "./call.ts";
import { callerContext, publicContext, streamContext } from "./contexts.ts";
import type { Context, Handlers, PublicContext, Upload, UploadContext } from "./handler.ts";
import { hashOfRequest } from "./idempotency.ts";
import { UnparsedBody, type Raw } from "./input.ts";
import { answerText, mutate, type MutationOutcome } from "./mutation.ts";
import {
  bytesOutgoing,
  eventsOutgoing,
  jsonOutgoing,
  outcomeOutgoing,
  textOutgoing,
  type Outgoing,
} from "./outgoing.ts";
import { reading } from "./reading.ts";
import { boundedUpload } from "./upload.ts";

/** The handler of any operation, with its exact types forgotten (see `Handle`). */
type AnyHandle = { method(input: Raw, context: PublicContext): Promise<unknown> }["method"];

export function handleOf(
  handlers: Partial<Handlers>,
  id: keyof typeof operations,
): { readonly handle: AnyHandle; readonly waits: boolean } {
  const handler = handlers[id];
  if (handler === undefined) return { handle: notWired(id), waits: false };
  if (typeof handler === "function") return { handle: handler, waits: false };
  return { handle: handler.handle, waits: handler.waits };
}

/** Whether it wants its body as text. */
export function readsText(handlers: Partial<Handlers>, id: keyof typeof operations): boolean {
  const handler = handlers[id];
  return typeof handler === "object" && !handler.waits;
}

function notWired(id: string): AnyHandle {
  return () => Promise.reject(new Failure("unavailable", `${id} is not wired in this process.`));
}

interface Wire {
  readonly environment: Environment;
  readonly handle: AnyHandle;
  readonly incoming: Incoming;
}

export async function invokePublic(
  { environment, handle, incoming }: Wire,
  { id, requestId }: Pick<Call, "id" | "requestId">,
): Promise<Outgoing> {
  let { status }: { status: number } = operations[id];
  const context: PublicContext = {
    ...publicContext({ environment, incoming }, requestId),
    answerWith: (other: number) => {
      status = other;
    },
  };
  const { transport, audit }: Operation = operations[id];
  const answer = await handle(incoming.input, context).finally(() => {
    if (audit !== undefined) environment.keys.forget();
  });
  if (transport === "text") return textOutgoing(status, answer);
  if (transport === "bytes") return bytesOutgoing(status, answer);
  return jsonOutgoing(status, answerText(operations[id].result, answer));
}

export async function invoke(
  wire: Wire & { readonly waits: boolean },
  call: Call,
): Promise<Outgoing> {
  const { operation } = call;
  if (operation.requestTransport === "bytes") return invokeUpload(wire, call);
  if (wire.waits) {
    const answer = await wire.handle(wire.incoming.input, streamContext(wire, call));
    return jsonOutgoing(operation.status, answerText(operation.result, answer));
  }
  switch (operation.transport) {
    case "json":
      return isMutation(operation) ? invokeMutation(wire, call) : invokeRead(wire, call);
    case "events":
      return invokeEvents(wire, call);
    case "bytes": {
      const answer = await wire.handle(wire.incoming.input, streamContext(wire, call));
      return bytesOutgoing(operation.status, answer);
    }
    case "text": {
      const answer = await wire.handle(wire.incoming.input, streamContext(wire, call));
      return textOutgoing(operation.status, answer);
    }
  }
}

async function invokeRead(wire: Wire, call: Call): Promise<Outgoing> {
  const { environment, handle, incoming } = wire;
  const { operation } = call;
  const answer = await reading(environment, call, (tx) => {
    const context: Context = { ...callerContext(wire, call), tx, note: () => undefined };
    return handle(incoming.input, context);
  });
  return jsonOutgoing(operation.status, answerText(operation.result, answer));
}

async function invokeMutation(wire: Wire, call: Call): Promise<Outgoing> {
  const { environment, handle, incoming } = wire;
  const { input } = incoming;
  const outcome = await mutate(environment, {
    call,
    params: input.params,
    requestHash: () => {
      const body = input.body instanceof UnparsedBody ? input.body.parse() : input.body;
      return hashOfRequest({ operation: call.id, ...input, body });
    },
    work: (tx, note) => {
      const context: Context = { ...callerContext(wire, call), tx, note };
      return handle(input, context);
    },
  });
  return outcomeOutgoing(outcome);
}

class Replayed extends Error {
  override readonly name = "Replayed";
}

async function invokeUpload(wire: Wire, call: Call): Promise<Outgoing> {
  const { environment, handle, incoming } = wire;
  const { contentLength, contentType, input } = incoming;
  const { stream, sha256 } = boundedUpload(incoming.upload ?? Readable.from([]), {
    bytesMax: environment.limits.uploadBytesMax,
    contentLength,
  });
  let outcome: MutationOutcome | undefined;
  const context: UploadContext<unknown> = {
    ...streamContext(wire, call),
    commit: async (work) => {
      assert(outcome === undefined, "an upload is committed once");
      let result: unknown;
      outcome = await mutate(environment, {
        call,
        params: input.params,
        requestHash: () =>
          hashOfRequest({ operation: call.id, query: input.query, sha256: sha256() }),
        work: async (tx, note) => {
          result = await work(tx, note);
          return result;
        },
      });
      if (outcome.replayed) throw new Replayed("this upload was made before");
      return result;
    },
  };
  const body: Upload = { stream, contentLength, contentType };
  try {
    await handle({ ...input, body }, context);
  } catch (error) {
    if (!(error instanceof Replayed)) throw error;
  } finally {
    stream.destroy();
  }
  assert(outcome !== undefined, "the handler of an upload commits it");
  return outcomeOutgoing(outcome);
}

async function invokeEvents(wire: Wire, call: Call): Promise<Outgoing> {
  const { environment, handle } = wire;
  const { heartbeatMs } = environment.limits;
  const { ended, stop } = whileItCounts(environment, call);
  const signal = AbortSignal.any([wire.incoming.signal, ended]);
  const incoming = { ...wire.incoming, signal };
  try {
    const answer = await handle(incoming.input, streamContext({ environment, incoming }, call));
    const outgoing = eventsOutgoing(call.operation.status, answer, { heartbeatMs, signal });
    outgoing.body.once("close", stop);
    return outgoing;
  } catch (error) {
    stop();
    throw error;
  }
}

/** Fires soon after the key or session of the caller has ended. */
function whileItCounts(
  { keys, limits, now }: Environment,
  { authenticated }: Call,
): { readonly ended: AbortSignal; readonly stop: () => void } {
  const ended = new AbortController();
  const look = async (): Promise<void> => {
    if (await keys.hasEnded(authenticated.secret, now())) ended.abort();
  };
  const timer = setInterval(() => void look(), limits.heartbeatMs);
  return { ended: ended.signal, stop: () => clearInterval(timer) };
}
