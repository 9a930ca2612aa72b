/** Bounds of the API. Each protects this process from one caller; what is sold is in quotas. */
export interface Limits {
  /** JSON bodies. */
  readonly bodyBytesMax: number;
  /** One uploaded file. */
  readonly uploadBytesMax: number;
  /** Requests per API key: so many in a burst, and so many per second after it. */
  readonly requestBurstMax: number;
  readonly requestsPerSecondMax: number;
  /** Streams and waiting requests that one tenant has open at a time, in this process. */
  readonly streamsPerTenantMax: number;
  readonly connectionsMax: number;
  /** For a whole request to arrive, uploads included. */
  readonly requestTimeoutMs: number;
  /** Between two signs of life on a stream of events; clients give up after 60 s of silence. */
  readonly heartbeatMs: number;
  /** How long closing waits for requests in hand. */
  readonly drainMs: number;
}

export const defaultLimits: Limits = {
  bodyBytesMax: 2 ** 20,
  uploadBytesMax: 10 * 2 ** 30,
  requestBurstMax: 500,
  requestsPerSecondMax: 500,
  streamsPerTenantMax: 100,
  connectionsMax: 4096,
  requestTimeoutMs: 3_600_000,
  heartbeatMs: 15_000,
  drainMs: 10_000,
};

/** JSON nested deeper than this is refused before anything recurses into it. */
export const jsonDepthMax = 64;
/** Problems that one answer names; the rest is counted. */
export const fieldProblemsMax = 50;
/** An idempotent answer is remembered this long. */
export const idempotencyMs = 86_400_000;
export const idempotencyKeyCharactersMax = 255;
