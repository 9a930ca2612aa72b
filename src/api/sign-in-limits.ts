/**
 * How often somebody may fail to sign in. Only failures count, so nobody is held up who knows his
 * password; but whoever guesses at an account holds up its owner's password too, who then comes in
 * by a link or a key.
 */
import { Failure } from "#kernel/failure.ts";

import { rateLimit, type RateLimit } from "./rate-limit.ts";

/** Of one address. All that come through one proxy that is not trusted share it. */
const perAddress = { burst: 30, perSecond: 1 };
/** Of one account, from everywhere: some 3,000 guesses a day. */
const perAccount = { burst: 10, perSecond: 1 / 30 };

export interface SignInLimits {
  /**
   * Takes a try of the address, and of the account where one is named, and gives them back when the
   * work ends well, or for another reason than a wrong credential. Throws `throttled`.
   */
  readonly within: <T>(
    who: { readonly address: string; readonly account: string | undefined },
    work: () => Promise<T>,
  ) => Promise<T>;
}

export function signInLimits(monotonicMs: () => number): SignInLimits {
  const ofAddress = rateLimit({
    ...perAddress,
    monotonicMs,
    refusal: "Too many tries to sign in from this address; wait a little.",
  });
  const ofAccount = rateLimit({
    ...perAccount,
    monotonicMs,
    refusal: "Too many tries with this account; wait a little, or sign in by a link or an API key.",
  });
  return {
    within: async ({ address, account }, work) => {
      const taken: [RateLimit, string][] = [];
      const take = (limit: RateLimit, name: string): void => {
        limit.take(name);
        taken.push([limit, name]);
      };
      try {
        take(ofAddress, address);
        if (account !== undefined) take(ofAccount, account);
        const done = await work();
        for (const [limit, name] of taken) limit.giveBack(name);
        return done;
      } catch (error) {
        if (!isWrong(error)) for (const [limit, name] of taken) limit.giveBack(name);
        throw error;
      }
    },
  };
}

/** `forbidden` is a wrong current password. */
function isWrong(error: unknown): boolean {
  return (
    error instanceof Failure && (error.code === "unauthenticated" || error.code === "forbidden")
  );
}
