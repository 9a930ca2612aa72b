/** What backup and restore share towards the person at the terminal. */
import type { EmbeddedLog } from "#db/embedded.ts";

const showEveryMs = 1_000;
const mebibyte = 1024 * 1024;

export const quietLog: EmbeddedLog = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A line on standard error that is renewed every second, for whatever takes longer than that. */
export function progressLine(title: string): {
  show: (bytes: number, path: string) => void;
  end: () => void;
} {
  const startedAt = performance.now();
  let shownAt = startedAt;
  const isLive = process.stderr.isTTY;
  return {
    show: (bytes) => {
      const now = performance.now();
      if (now - shownAt < (isLive ? showEveryMs : 10 * showEveryMs)) return;
      shownAt = now;
      const line = `${title} … ${Math.floor((now - startedAt) / 1000)} s, ${Math.floor(bytes / mebibyte)} MiB`;
      process.stderr.write(isLive ? `\r\u001b[K${line}` : `${line}\n`);
    },
    end: () => {
      if (isLive && shownAt !== startedAt) process.stderr.write("\r\u001b[K");
    },
  };
}

/** Ctrl-C ends the work in an orderly way: machines go on, nothing half is left. */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = (signal: NodeJS.Signals): void => controller.abort(new Error(`ended by ${signal}`));
  process.on("SIGINT", abort).on("SIGTERM", abort);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", abort).off("SIGTERM", abort);
  }
}
