/** What every part is handed to be seen by: a structured logger and a metrics registry. */
import { pino, type Logger } from "pino";
import { Registry, collectDefaultMetrics } from "prom-client";

export interface Observer {
  readonly log: Logger;
  readonly metrics: Registry;
}

export interface ObserverOptions {
  readonly level: string;
  readonly destination?: { write(line: string): void };
  /** Event-loop and memory figures of this process. */
  readonly processMetrics?: true;
}

/** Fields that must never be written, wherever they appear. */
const secretFields = [
  "secret",
  "password",
  "authorization",
  "*.secret",
  "*.password",
  "req.headers.authorization",
  "req.headers.cookie",
];

export function createObserver(options: ObserverOptions): Observer {
  const metrics = new Registry();
  if (options.processMetrics === true) {
    collectDefaultMetrics({ register: metrics, prefix: "millrace_" });
  }
  const settings = {
    level: options.level,
    base: null,
    redact: { paths: secretFields, censor: "[secret]" },
    timestamp: (): string => `,"time":"${new Date().toISOString()}"`,
  };
  const log =
    options.destination === undefined ? pino(settings) : pino(settings, options.destination);
  return { log, metrics };
}
