/**
 * What a person reads when a command fails, and the exit status that a shell sees: the failure
 * table's. `millrace: what happened. what to do.`, and never a stack trace unless asked for.
 */
import { CommanderError } from "commander";
import { ZodError } from "zod";

import { ApiFailure } from "#client/problem.ts";
import { Failure, failureClasses } from "#kernel/failure.ts";

import { safe } from "./text.ts";

/** Ctrl-C, or a request to end from outside. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly exitCode: number;

  constructor(signal: "SIGINT" | "SIGTERM" | "SIGHUP") {
    super("interrupted");
    this.exitCode = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }[signal];
  }
}

export interface Ending {
  readonly exitCode: number;
  /** For stderr; "" says nothing. */
  readonly message: string;
}

export function endingOf(error: unknown, { debug }: { readonly debug: boolean }): Ending {
  const trace = debug && error instanceof Error ? `${stackOf(error)}\n` : "";
  const { exitCode, message } = plainEnding(error);
  return { exitCode, message: message === "" ? trace : `millrace: ${message}\n${trace}` };
}

function plainEnding(error: unknown): Ending {
  if (error instanceof Interrupted) return { exitCode: error.exitCode, message: "interrupted." };
  if (error instanceof CommanderError) return commanderEnding(error);
  if (error instanceof Failure) {
    const { exitCode } = failureClasses[error.code];
    return { exitCode, message: sentence(error) };
  }
  const kind = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const shown = error instanceof ZodError ? "an answer has an unexpected shape" : safe(kind);
  return {
    exitCode: failureClasses.internal.exitCode,
    message: `something in this program is wrong (${shown}). Run it again with MILLRACE_DEBUG=1 and report what it prints.`,
  };
}

/** Commander has written its own message, or the help that was asked for, already. */
function commanderEnding(error: CommanderError): Ending {
  return {
    exitCode: error.exitCode === 0 ? 0 : failureClasses.invalid_request.exitCode,
    message: "",
  };
}

function sentence(failure: Failure): string {
  const said = safe(failure.message.trim());
  const whole = /[.!?。!?:]$/.test(said) ? said : `${said}.`;
  const advice = adviceFor(failure);
  const id =
    failure instanceof ApiFailure && failure.requestId !== undefined
      ? ` (request ${safe(failure.requestId)})`
      : "";
  return `${whole}${advice === "" ? "" : ` ${advice}`}${id}`;
}

/** What can be done here about a refusal of the server, which does not know of this program. */
function adviceFor(failure: Failure): string {
  if (!(failure instanceof ApiFailure) || failure.problemCode === undefined) return "";
  switch (failure.code) {
    case "unauthenticated":
      return "Log in with: millrace login";
    case "insufficient_credit":
      return "See: millrace balance";
    case "quota_exceeded":
      return "See: millrace quota show";
    case "unplaceable":
      return "See what fits: millrace offers";
    case "throttled":
    case "capacity":
    case "unavailable":
    case "timeout":
      return "Try again later.";
    case "internal":
      return "Tell the operator the request's id.";
    case "invalid_request":
    case "forbidden":
    case "not_found":
    case "method_not_allowed":
    case "conflict":
    case "wrong_state":
    case "payload_too_large":
    case "unsupported_media_type":
    case "idempotency_mismatch":
    case "rule_violation":
    case "unsupported":
      return "";
  }
  return "";
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : "";
  return `${error.stack ?? error.message}${cause}`;
}
