/** How often consoles may be asked for: a refusal costs a look-up and an audit row. */
import { rateLimit } from "#api/rate-limit.ts";
import { Failure } from "#kernel/failure.ts";

/** A person opens a few; a script that is refused may ask again, not without end. */
const perKey = { burst: 20, perSecond: 1 };
/** Before anything is looked up: whoever has no key. All that come through one proxy share it. */
const perAddress = { burst: 100, perSecond: 20 };

export interface ConsoleLimits {
  /** Both throw `throttled`. */
  readonly takeOfKey: (keyId: string) => void;
  readonly takeOfAddress: (address: string) => void;
}

export function consoleLimits(): ConsoleLimits {
  const ofKey = rateLimit({ ...perKey, monotonicMs });
  const ofAddress = rateLimit({ ...perAddress, monotonicMs });
  return {
    takeOfKey: (keyId) => ofKey.take(keyId),
    takeOfAddress: (address) => {
      try {
        ofAddress.take(address);
      } catch (cause) {
        const message = `Too many consoles were asked for from ${address}: ${perAddress.perSecond} per second is the most.`;
        const details = { limit: perAddress.perSecond, retryAfterSeconds: 1 };
        throw new Failure("throttled", message, { cause, details });
      }
    },
  };
}

function monotonicMs(): number {
  return performance.now();
}
