/** The body of an upload on its way to the handler: bounded, and hashed for the idempotency record. */
import { createHash } from "node:crypto";
import { Transform, type Readable } from "node:stream";

import { assert } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";

export interface BoundedUpload {
  readonly stream: Readable;
  /** Hex SHA-256 of the whole; only once it was read to its end. */
  readonly sha256: () => string;
}

/** Throws `payload_too_large` at once when the announced length is. */
export function boundedUpload(
  raw: Readable,
  { bytesMax, contentLength }: { bytesMax: number; contentLength: number | undefined },
): BoundedUpload {
  if (contentLength !== undefined && contentLength > bytesMax) throw tooLarge(bytesMax);
  const hash = createHash("sha256");
  let bytes = 0;
  let ended = false;
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > bytesMax) return done(tooLarge(bytesMax));
      hash.update(chunk);
      return done(null, chunk);
    },
    flush(done) {
      ended = true;
      done();
    },
  });
  // Whoever reads it sees the error; while nobody does yet, it must not end the process.
  bounded.on("error", () => undefined);
  // Not `pipeline`: it would destroy the request, and with it the way for the answer.
  const breakOff = (cause?: Error): void => {
    if (ended || raw.readableEnded) return;
    bounded.destroy(new Failure("invalid_request", "The upload broke off.", { cause }));
  };
  raw.once("error", breakOff);
  raw.once("close", breakOff);
  raw.pipe(bounded);
  return {
    stream: bounded,
    sha256: () => {
      assert(ended, "an upload is read to its end before it is committed");
      return hash.copy().digest("hex");
    },
  };
}

function tooLarge(limit: number): Failure {
  return new Failure("payload_too_large", `A file may have ${limit} bytes at most.`, {
    details: { limit, unit: "bytes" },
  });
}
