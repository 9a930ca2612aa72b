/** Whether the API's address is free, asked before anything is started that takes its time. */
import { once } from "node:events";
import { createServer } from "node:net";

import { cannotListen } from "#api/server.ts";

/** Throws Failure as listening later would. */
export async function requireFreePort(at: {
  readonly host: string;
  readonly port: number;
}): Promise<void> {
  const server = createServer();
  try {
    server.listen({ host: at.host, port: at.port });
    await once(server, "listening");
  } catch (cause) {
    throw cannotListen(at, cause);
  } finally {
    server.close();
  }
}
