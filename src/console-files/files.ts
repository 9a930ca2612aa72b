/**
 * The files of the console, as `vite build` left them in one directory, read from there at each
 * request: an idle server keeps none of them in memory. What must stay true:
 *
 * - Nothing outside the directory is ever opened: a path is made of plain names, or it is no file.
 * - What has a hash in its name is kept by browsers for ever; the page itself is asked for each time.
 * - A path of the API is never answered with a page, nor a missing asset, whose name may be one of an
 *   older version.
 */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { extname, join } from "node:path";
import type { Readable } from "node:stream";

import { notBuiltPage } from "./not-built.ts";

export interface PageAsk {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface PageAnswer {
  readonly status: 200 | 304 | 503;
  readonly headers: Readonly<Record<string, string>>;
  /** For HEAD and 304 there is none. */
  readonly body: Readable | string | undefined;
}

export interface ConsoleFiles {
  /** `undefined`: there is neither a file nor a page at this path. */
  answer(ask: PageAsk): Promise<PageAnswer | undefined>;
}

/** A page runs only what this server sends; it is shown in no other page. */
const pageHeaders = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    // Mantine and xterm.js write styles at run time.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  // Not `no-referrer`, with which some browsers say no origin either.
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
} as const;

const contentTypes: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

const plainPath = /^(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/;
const pathCharactersMax = 300;
const assets = "/assets/";

export function consoleFiles(directory: string): ConsoleFiles {
  return {
    answer: async (ask) => {
      if (ask.method !== "GET" && ask.method !== "HEAD") return undefined;
      const file = await findFile(directory, ask);
      if (file !== undefined) return answerWith(file, ask);
      if (ask.path.startsWith(assets) || !wantsPage(ask)) return undefined;
      const page = await findFile(directory, { ...ask, path: "/index.html" });
      return page === undefined ? notBuilt(ask) : answerWith(page, ask);
    },
  };
}

/** As a browser asks when somebody opens an address. */
function wantsPage({ headers }: PageAsk): boolean {
  return /\btext\/html\b/.test(headers.accept ?? "");
}

interface Found {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly etag: string;
  readonly encoding: "br" | "gzip" | undefined;
}

/** The smallest form that the browser takes. */
async function findFile(
  directory: string,
  { path, headers }: Pick<PageAsk, "path" | "headers">,
): Promise<Found | undefined> {
  if (path.length > pathCharactersMax || !plainPath.test(path)) return undefined;
  const plain = await look(join(directory, path), undefined, path);
  if (plain === undefined) return undefined;
  for (const { encoding, suffix } of encodings) {
    if (!accepts(headers, encoding)) continue;
    // oxlint-disable-next-line no-await-in-loop -- the first that is there
    const packed = await look(join(directory, `${path}${suffix}`), encoding, path);
    if (packed !== undefined) return packed;
  }
  return plain;
}

const encodings = [
  { encoding: "br", suffix: ".br" },
  { encoding: "gzip", suffix: ".gz" },
] as const;

function accepts(headers: IncomingHttpHeaders, encoding: string): boolean {
  const offered = headers["accept-encoding"]?.toString().split(",") ?? [];
  return offered.some((each) => {
    const [name, ...parameters] = each.split(";").map((part) => part.trim());
    return name === encoding && !parameters.some((part) => /^q=0(?:\.0*)?$/.test(part));
  });
}

async function look(
  path: string,
  encoding: Found["encoding"],
  name: string,
): Promise<Found | undefined> {
  const found = await stat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (found === undefined || !found.isFile()) return undefined;
  const version = `${found.size.toString(36)}-${Math.trunc(found.mtimeMs).toString(36)}`;
  const etag = `"${version}${encoding === undefined ? "" : `-${encoding}`}"`;
  return { path, name, size: found.size, etag, encoding };
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR";
}

function answerWith(file: Found, { method, headers }: PageAsk): PageAnswer {
  const said = {
    ...pageHeaders,
    "cache-control": file.name.startsWith(assets)
      ? "public, max-age=31536000, immutable"
      : "no-cache",
    etag: file.etag,
    vary: "accept-encoding",
  };
  if (isKnown(headers["if-none-match"], file.etag)) {
    return { status: 304, headers: said, body: undefined };
  }
  return {
    status: 200,
    headers: {
      ...said,
      "content-type": contentTypes[extname(file.name)] ?? "application/octet-stream",
      "content-length": String(file.size),
      ...(file.encoding === undefined ? {} : { "content-encoding": file.encoding }),
    },
    body: method === "HEAD" ? undefined : createReadStream(file.path),
  };
}

function isKnown(header: string | undefined, etag: string): boolean {
  const known = header?.split(",").map((each) => each.trim().replace(/^W\//, "")) ?? [];
  return known.includes(etag) || known.includes("*");
}

function notBuilt({ method }: PageAsk): PageAnswer {
  return {
    status: 503,
    headers: {
      ...pageHeaders,
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-length": String(Buffer.byteLength(notBuiltPage)),
    },
    body: method === "HEAD" ? undefined : notBuiltPage,
  };
}
