/** The operations that answer in bytes, in text or in events, rather than in one JSON document. */
import type { Transport } from "#contract/operation.ts";
import { operations, type OperationId } from "#contract/operations.ts";
import { assert } from "#kernel/assert.ts";

import { allBytes, chunksOf } from "./chunks.ts";
import type { ServerEvent } from "./event-parser.ts";
import { follow, type FollowOptions } from "./follow.ts";
import { logOffsetHeader, type Extra } from "./request.ts";
import type { Attempt } from "./send.ts";
import type { Arguments, CallOptions, LooseRequest, OperationIdOver } from "./types.ts";

export interface BytesAnswer {
  readonly contentType: string;
  /** Where the bytes end in the log that they are a part of; `undefined` for other bytes. */
  readonly logOffset: number | undefined;
  /** Can be read once. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface Streams {
  readonly bytes: <Id extends OperationIdOver<"bytes">>(
    id: Id,
    ...rest: Arguments<Id>
  ) => Promise<BytesAnswer>;
  readonly text: <Id extends OperationIdOver<"text">>(
    id: Id,
    ...rest: Arguments<Id>
  ) => Promise<string>;
  readonly events: <Id extends OperationIdOver<"events">>(
    id: Id,
    ...rest: Arguments<Id, FollowOptions>
  ) => AsyncGenerator<ServerEvent, void, undefined>;
  readonly bytesLoose: (
    id: OperationId,
    request?: LooseRequest,
    options?: CallOptions,
  ) => Promise<BytesAnswer>;
  readonly textLoose: (
    id: OperationId,
    request?: LooseRequest,
    options?: CallOptions,
  ) => Promise<string>;
  readonly eventsLoose: (
    id: OperationId,
    request?: LooseRequest,
    options?: FollowOptions,
  ) => AsyncGenerator<ServerEvent, void, undefined>;
}

export type Transmit = <T>(
  id: OperationId,
  request: LooseRequest,
  options: CallOptions,
  extra: Extra,
  consume: (response: Response, attempt: Attempt) => Promise<T>,
) => Promise<T>;

/** Silence after which a download counts as lost. */
const idleMs = 60_000;

export function createStreams(transmit: Transmit): Streams {
  const open = (
    id: OperationId,
    transport: Transport,
    request: LooseRequest,
    options: CallOptions,
    extra: Extra,
  ): Promise<Response> => {
    assert(operations[id].transport === transport, `${id} does not answer in ${transport}`);
    return transmit(id, request, options, extra, (response, attempt) => {
      attempt.liftDeadline();
      return Promise.resolve(response);
    });
  };

  function bytes<Id extends OperationIdOver<"bytes">>(
    id: Id,
    ...rest: Arguments<Id>
  ): Promise<BytesAnswer>;
  function bytes(
    id: OperationId,
    request?: LooseRequest,
    options?: CallOptions,
  ): Promise<BytesAnswer>;
  async function bytes(
    id: OperationId,
    request: LooseRequest = {},
    options: CallOptions = {},
  ): Promise<BytesAnswer> {
    const response = await open(id, "bytes", request, options, { accept: "*/*" });
    const offset = response.headers.get(logOffsetHeader);
    return {
      contentType: response.headers.get("content-type") ?? "application/octet-stream",
      logOffset: offset === null ? undefined : Number(offset),
      chunks: chunksOf(response, { idleMs, signal: options.signal }),
    };
  }

  function text<Id extends OperationIdOver<"text">>(
    id: Id,
    ...rest: Arguments<Id>
  ): Promise<string>;
  function text(id: OperationId, request?: LooseRequest, options?: CallOptions): Promise<string>;
  async function text(
    id: OperationId,
    request: LooseRequest = {},
    options: CallOptions = {},
  ): Promise<string> {
    const response = await open(id, "text", request, options, { accept: "text/*, */*" });
    const chunks = chunksOf(response, { idleMs, signal: options.signal });
    return new TextDecoder().decode(await allBytes(chunks));
  }

  function events<Id extends OperationIdOver<"events">>(
    id: Id,
    ...rest: Arguments<Id, FollowOptions>
  ): AsyncGenerator<ServerEvent, void, undefined>;
  function events(
    id: OperationId,
    request?: LooseRequest,
    options?: FollowOptions,
  ): AsyncGenerator<ServerEvent, void, undefined>;
  function events(
    id: OperationId,
    request: LooseRequest = {},
    options: FollowOptions = {},
  ): AsyncGenerator<ServerEvent, void, undefined> {
    const { signal } = options;
    const connect = (lastEventId: string): Promise<Response> =>
      open(id, "events", request, signal === undefined ? {} : { signal }, {
        accept: "text/event-stream",
        lastEventId,
      });
    return follow(connect, options);
  }

  return { bytes, text, events, bytesLoose: bytes, textLoose: text, eventsLoose: events };
}
