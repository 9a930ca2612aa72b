/** The relay of consoles, with the idle watch told of each that is open: whoever looks at it uses the lease. */
import { consoleRelay, type ConsoleContext, type ConsoleRelay } from "#access/console.ts";
import { consoleOpen } from "#idle/store.ts";

export function consolesWatched(context: Omit<ConsoleContext, "used">): ConsoleRelay {
  const { db, observer, now } = context;
  return consoleRelay({
    ...context,
    used: ({ tenantId, leaseId }) => {
      consoleOpen(db, { tenantId, requestId: leaseId, at: now() }).catch((error: unknown) => {
        observer.log.warn({ err: error, leaseId }, "the use of a console was not noted");
      });
    },
  });
}
