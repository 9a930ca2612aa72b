/**
 * What a request carries to say who sent it: the header `Authorization` with an API key, which wins,
 * or the cookie of a session. What must stay true: a browser adds the cookie by itself, so it counts
 * for a change, and for a WebSocket, only where a page of this server asks (`refuseForeignPage`).
 */
import type { IncomingHttpHeaders } from "node:http";

import { sessionCookie } from "#contract/schemas/sessions.ts";
import { isSecretOf } from "#identity/secret.ts";
import { Failure } from "#kernel/failure.ts";

import { isOwnPage, type Visitor } from "./visitor.ts";

export interface Presented {
  readonly kind: "key" | "cookie";
  readonly text: string;
}

/** `undefined` when it carries none; throws `unauthenticated` for what is not one. */
export function presentedIn(headers: IncomingHttpHeaders): Presented | undefined {
  const { authorization, cookie } = headers;
  if (authorization !== undefined) {
    const [scheme, text] = authorization.split(" ");
    // The secret of a session counts in its cookie only, which no script can read.
    if (text === undefined || scheme?.toLowerCase() !== "bearer" || isSecretOf("session", text)) {
      throw noCredential();
    }
    return { kind: "key", text };
  }
  const text = cookie === undefined ? undefined : cookieOf(cookie, sessionCookie);
  if (text === undefined) return undefined;
  if (isSecretOf("session", text)) return { kind: "cookie", text };
  throw new Failure("unauthenticated", "There is no such session. Sign in.", {
    details: { reason: "session_unknown" },
  });
}

export function noCredential(): Failure {
  return new Failure(
    "unauthenticated",
    "Send an API key: the header `Authorization: Bearer mrk_…`.",
    { details: { reason: "no_credential" } },
  );
}

function cookieOf(header: string, name: string): string | undefined {
  const found = header
    .split(";")
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}

/** Throws `forbidden`. */
export function refuseForeignPage(headers: IncomingHttpHeaders, visitor: Visitor): void {
  if (isOwnPage(headers, visitor)) return;
  throw new Failure(
    "forbidden",
    "A session changes something only from a page of this server. Programs use an API key.",
    { details: { reason: "cross_site" } },
  );
}

const cookieRules = "HttpOnly; SameSite=Strict; Path=/";

export function setCookie(
  secret: string,
  { isSecure, seconds }: { readonly isSecure: boolean; readonly seconds: number },
): string {
  const secure = isSecure ? "; Secure" : "";
  return `${sessionCookie}=${secret}; ${cookieRules}; Max-Age=${seconds}${secure}`;
}

export function clearCookie({ isSecure }: Pick<Visitor, "isSecure">): string {
  return setCookie("", { isSecure, seconds: 0 });
}
