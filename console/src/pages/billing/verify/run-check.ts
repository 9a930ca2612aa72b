/** Starts the worker for one check. It ends with its answer, or when `signal` says so. */
import type { Answered, Asked } from "./messages.ts";

export function runCheck(asked: Asked, signal: AbortSignal): Promise<Answered> {
  return new Promise((done, fail) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    const end = (): void => worker.terminate();
    signal.addEventListener("abort", end, { once: true });
    worker.addEventListener("message", ({ data }: MessageEvent<Answered>) => {
      end();
      done(data);
    });
    worker.addEventListener("error", (event) => {
      end();
      fail(new Error(event.message === "" ? "The worker could not be loaded." : event.message));
    });
    // The bytes go over; nobody needs them here any more.
    worker.postMessage(asked, { transfer: [asked.bytes.buffer] });
  });
}
