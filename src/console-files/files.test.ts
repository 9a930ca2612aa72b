/** What a browser gets of the console's files, and what nobody gets. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

import { afterAll, expect, test } from "vitest";

import { testApi } from "#test/api-server.ts";

import { consoleFiles } from "./files.ts";

const directory = mkdtempSync(join(tmpdir(), "millrace-console-test-"));
const built = join(directory, "console");
mkdirSync(join(built, "assets"), { recursive: true });
afterAll(() => rmSync(directory, { recursive: true }));
const script = `export const text = "${"long enough ".repeat(200)}";\n`;
writeFileSync(join(directory, "secret.txt"), "not for anybody");
writeFileSync(join(built, "index.html"), "<!doctype html><title>Millrace</title>");
writeFileSync(join(built, "icon.svg"), "<svg/>");
writeFileSync(join(built, "assets/main-abc123.js"), script);
writeFileSync(join(built, "assets/main-abc123.js.br"), brotliCompressSync(script));
writeFileSync(join(built, "assets/main-abc123.js.gz"), gzipSync(script));
writeFileSync(join(built, "assets/.hidden"), "hidden");

const api = await testApi({ pages: consoleFiles(built) });
const asBrowser = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${api.url}${path}`, { headers, redirect: "error" });
}

test("every address that somebody opens is the page, asked for each time and run in no frame", async () => {
  for (const path of ["/", "/leases", "/leases/0190c2b4?tab=console", "/a%20b/c", "/v2"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const answer = await get(path, asBrowser);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(answer.headers.get("cache-control")).toBe("no-cache");
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await answer.text()).toContain("<title>Millrace</title>");
  }
  const { headers } = await get("/", asBrowser);
  const policy = headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'; script-src 'self';");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/script-src[^;]*unsafe|unsafe-eval/);
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("referrer-policy")).toBe("same-origin");
  expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
});

test("an asset comes packed as the browser likes it, and is kept for ever", async () => {
  const path = "/assets/main-abc123.js";
  for (const [accepted, encoding] of [
    ["gzip, deflate, br", "br"],
    ["gzip", "gzip"],
    ["br;q=0, gzip", "gzip"],
    ["identity", null],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const answer = await get(path, { "accept-encoding": accepted });
    expect(answer.headers.get("content-encoding")).toBe(encoding);
    expect(answer.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(answer.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await answer.text()).toBe(script);
  }
});

test("what a browser has already is not sent again", async () => {
  const etag = (await get("/", asBrowser)).headers.get("etag") ?? "";
  const again = await get("/", { ...asBrowser, "if-none-match": `"other", W/${etag}` });
  expect(again.status).toBe(304);
  expect(await again.text()).toBe("");
  writeFileSync(join(built, "index.html"), "<!doctype html><title>Millrace</title> newer");
  expect((await get("/", { ...asBrowser, "if-none-match": etag })).status).toBe(200);
});

test("the API is never answered with a page, nor a missing asset", async () => {
  const paths = ["/v1/nothing", "/v1", "/healthz/x", "/assets/main-old999.js", "/assets/"];
  for (const path of paths) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const answer = await get(path, asBrowser);
    expect([path, answer.status]).toEqual([path, 404]);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'; frame");
  }
  expect((await get("/leases", { accept: "application/json" })).status).toBe(404);
  expect((await get("/v1/whoami", asBrowser)).status).toBe(401);
  const posted = await fetch(`${api.url}/leases`, { method: "POST", headers: asBrowser });
  expect(posted.status).toBe(404);
});

test("nothing outside, nothing hidden, no directory", async () => {
  const paths = [
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/assets/..%2f..%2fsecret.txt",
    "/assets/.hidden",
    "/assets%00",
    "//secret.txt",
    "/assets",
  ];
  for (const path of paths) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const answer = await get(path);
    expect([path, answer.status]).toEqual([path, 404]);
  }
});

test("HEAD says what GET would", async () => {
  const answer = await fetch(`${api.url}/icon.svg`, { method: "HEAD" });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("image/svg+xml");
  expect(answer.headers.get("content-length")).toBe("6");
});

test("a console that was not built says so, and how to build it", async () => {
  const missing = consoleFiles(join(directory, "nowhere"));
  const answer = await missing.answer({ method: "GET", path: "/", headers: asBrowser });
  expect(answer?.status).toBe(503);
  expect(answer?.body).toContain("node bin/setup.mjs");
});
