/** What cannot be brought home: whether to try again, for how long, and how it is said. Pure. */
import { Failure } from "#kernel/failure.ts";
import type { Reason } from "#kernel/reason.ts";
import { ProviderError } from "#providers/provider.ts";

/** A machine is kept this long for the sake of what is still on it. */
const endPatienceMs = 5 * 60_000;
/** After a fault of the platform a retry waits for this machine's place. */
const faultPatienceMs = 10_000;

export function patienceMs({ endKind }: { readonly endKind: string | null }): number {
  return endKind === "platform_fault" ? faultPatienceMs : endPatienceMs;
}

export interface Trouble {
  /** Trying again would end the same way. */
  readonly permanent: boolean;
  readonly reason: Reason;
}

export function troubleOf(error: unknown): Trouble {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ProviderError) {
    const permanent = error.code === "refused" || error.code === "not_found";
    return { permanent, reason: { code: error.code, message } };
  }
  if (error instanceof Failure) {
    const permanent = error.code === "quota_exceeded" || error.code === "payload_too_large";
    return { permanent, reason: { code: error.code, message, details: error.details } };
  }
  return {
    permanent: false,
    reason: { code: "unavailable", message: "It could not be read from the machine." },
  };
}

export function lostLog({ code, message }: Reason): Reason {
  return { code, message: `The rest of the log could not be brought home: ${message}` };
}
