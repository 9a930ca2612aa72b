/** The next message of a child; one that ends instead is an error. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

export async function heard(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const end = (): void => ended.abort(new Error("the process that was asked has ended"));
  child.once("exit", end);
  try {
    const [said]: unknown[] = await once(child, "message", { signal: ended.signal });
    return said;
  } finally {
    child.off("exit", end);
  }
}
