/**
 * What is decided of what an agent sends, without a disk: which bytes of a log are new, whether an
 * archive is whole, how an order is said. What must stay true: a log is the bytes that the program
 * printed, each once and none left out, up to its limit.
 */

/** What the agent is to do, as it stands. */
export type Order =
  | { readonly to: "run" }
  | { readonly to: "interrupt"; readonly graceSeconds: number };

export interface LogChunk {
  /** Where its first byte stands in the log. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface LogStep {
  /** Bytes to be written, and where; none if there is nothing new in it. */
  readonly write: { readonly at: number; readonly bytes: Uint8Array } | undefined;
  /** Where the agent is to go on. */
  readonly wanted: number;
  /** It begins beyond what is here: nothing of it is taken. */
  readonly gap: boolean;
}

/**
 * `sizeBytes` is what is here, `bytesMax` the most that is kept. What is beyond that counts as taken, or
 * an agent whose program prints on would send it for ever.
 */
export function logStep(
  { sizeBytes, bytesMax }: { readonly sizeBytes: number; readonly bytesMax: number },
  { offset, bytes }: LogChunk,
): LogStep {
  const end = offset + bytes.byteLength;
  if (sizeBytes >= bytesMax)
    return { write: undefined, wanted: Math.max(end, bytesMax), gap: false };
  if (offset > sizeBytes) return { write: undefined, wanted: sizeBytes, gap: true };
  if (end <= sizeBytes) return { write: undefined, wanted: sizeBytes, gap: false };
  const fresh = bytes.subarray(sizeBytes - offset, Math.min(end, bytesMax) - offset);
  return { write: { at: sizeBytes, bytes: fresh }, wanted: end, gap: false };
}

/** A tar archive is made of blocks, and ends with two that are empty. */
export const tarBlockBytes = 512;

/** Whether an archive of that size with that end was sent to its end: the shell in between cannot tell. */
export function isWholeTar(sizeBytes: number, tail: Uint8Array): boolean {
  return (
    sizeBytes % tarBlockBytes === 0 &&
    tail.byteLength === 2 * tarBlockBytes &&
    tail.every((byte) => byte === 0)
  );
}

/** Two lines for a shell: the order, and from where the log is wanted. */
export function orderLines(order: Order, wanted: number): string {
  const first = order.to === "run" ? "run" : `interrupt ${order.graceSeconds}`;
  return `${first}\noffset ${wanted}\n`;
}
