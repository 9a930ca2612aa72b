/** What tests of the client ask about a call: how it failed, all that it brought, a lost answer. */
import type { ServerResponse } from "node:http";

import { Failure } from "#kernel/failure.ts";

export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Failure) return error;
  throw new Error(`expected a failure, got ${String(error)}`);
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The connection ends in the middle of the answer. */
export function dropped(response: ServerResponse): void {
  response.socket?.destroy();
}
