/** What each kind of handler is given (handler.ts says what the fields mean). */
import type { Call, Environment, Incoming } from "./call.ts";
import type { CallerContext, PublicContext, StreamContext } from "./handler.ts";
import { reading } from "./reading.ts";

interface Around {
  readonly environment: Environment;
  readonly incoming: Pick<Incoming, "signal" | "lastEventId" | "visitor" | "answerHeaders">;
}

export function publicContext({ environment, incoming }: Around, requestId: string): PublicContext {
  const { db, services, now } = environment;
  const { signal, visitor, answerHeaders } = incoming;
  const sendHeader = (name: string, value: string): void => {
    answerHeaders[name] = value;
  };
  return { requestId, signal, visitor, db, services, now, answerWith: refuseStatus, sendHeader };
}

function refuseStatus(): never {
  throw new Error("the contract knows the status of this operation");
}

export function callerContext(around: Around, call: Call): CallerContext {
  const { requestId, authenticated, tenantId } = call;
  return {
    ...publicContext(around, requestId),
    principal: authenticated.principal,
    tenantId,
  };
}

export function streamContext(around: Around, call: Call): StreamContext {
  return {
    ...callerContext(around, call),
    read: (work) => reading(around.environment, call, work),
    lastEventId: around.incoming.lastEventId,
  };
}
