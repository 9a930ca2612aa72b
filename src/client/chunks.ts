/** The bytes of an answer as they come, with a limit on silence rather than on the whole. */
import { Failure } from "#kernel/failure.ts";

import { rootMessage } from "./send.ts";

export async function* chunksOf(
  response: Response,
  { idleMs, signal }: { readonly idleMs: number; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<Uint8Array, void, undefined> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  let received = 0;
  try {
    for (;;) {
      const chunk = await within(idleMs, reader.read());
      if (chunk.done) return;
      received += chunk.value.byteLength;
      yield chunk.value;
    }
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    if (error instanceof Failure) throw error;
    throw new Failure(
      "unavailable",
      `The connection was lost after ${received} bytes: ${rootMessage(error)}. Try again.`,
      { cause: error },
    );
  } finally {
    // Also when the consumer left early: the connection is given back.
    reader.cancel().catch(() => undefined);
  }
}

export async function allBytes(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of chunks) {
    parts.push(part);
    size += part.byteLength;
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

async function within<T>(idleMs: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Failure("timeout", `The server sent nothing for ${idleMs / 1000} s. Try again.`));
    }, idleMs);
  });
  try {
    return await Promise.race([work, silence]);
  } finally {
    clearTimeout(timer);
  }
}
