/**
 * Where a request comes from, as far as it can be believed. A proxy in front tells it in headers
 * that anybody could send; so they count only where the configuration says that there is one, and of
 * several entries the last, which the nearest proxy wrote.
 */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

/** What stands before this server. */
export interface Front {
  /** A proxy that sets `X-Forwarded-For`, `-Proto` and `-Host` itself. */
  readonly trustsProxy: boolean;
  /** The URL that people use, where it is known: `https://cloud.example.org`. */
  readonly publicUrl: string | undefined;
}

export const noFront: Front = { trustsProxy: false, publicUrl: undefined };

export interface Visitor {
  readonly address: string;
  readonly userAgent: string;
  /** Over TLS, at the proxy. */
  readonly isSecure: boolean;
  /** Host and port that were asked, as a browser writes them in an origin. */
  readonly hosts: readonly string[];
}

export function visitorOf({ headers, socket }: IncomingMessage, front: Front): Visitor {
  const told = (name: string): string | undefined =>
    front.trustsProxy ? lastOf(headers[`x-forwarded-${name}`]) : undefined;
  const known = front.publicUrl === undefined ? null : URL.parse(front.publicUrl);
  const asked = told("host") ?? headers.host;
  return {
    address: told("for") ?? socket.remoteAddress ?? "unknown",
    userAgent: headers["user-agent"] ?? "",
    isSecure: told("proto")?.toLowerCase() === "https" || known?.protocol === "https:",
    hosts: [...(asked === undefined ? [] : [asked.toLowerCase()]), ...(known ? [known.host] : [])],
  };
}

function lastOf(header: string | string[] | undefined): string | undefined {
  const last = header?.toString().split(",").at(-1)?.trim();
  return last === "" ? undefined : last;
}

/**
 * Whether a page of this server asks. Every browser says `Origin` with what changes something and
 * with WebSockets; most say `Sec-Fetch-Site` as well. Neither can be set by a page.
 */
export function isOwnPage(headers: IncomingHttpHeaders, { hosts, isSecure }: Visitor): boolean {
  if (headers["sec-fetch-site"] === "same-origin") return true;
  const origin = URL.parse(headers.origin ?? "");
  if (origin === null || !hosts.includes(origin.host)) return false;
  return origin.protocol === "https:" || (origin.protocol === "http:" && !isSecure);
}

/** A page of somebody else's; other programs say nothing. */
export function isForeignPage(headers: IncomingHttpHeaders, visitor: Visitor): boolean {
  const saysNothing = headers.origin === undefined && headers["sec-fetch-site"] === undefined;
  return !saysNothing && !isOwnPage(headers, visitor);
}
