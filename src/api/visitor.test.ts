import { IncomingMessage } from "node:http";
import { Socket } from "node:net";

import { expect, test } from "vitest";

import { isForeignPage, isOwnPage, visitorOf, type Front, noFront } from "./visitor.ts";

function request(headers: Record<string, string>): IncomingMessage {
  const made = new IncomingMessage(new Socket());
  Object.assign(made.headers, headers);
  return made;
}

const proxy: Front = { trustsProxy: true, publicUrl: undefined };
const forwarded = {
  host: "127.0.0.1:7272",
  "x-forwarded-for": "6.6.6.6, 10.0.0.7",
  "x-forwarded-proto": "https",
  "x-forwarded-host": "cloud.example.org",
};

test("what a proxy says is believed only where there is one, and of it the last", () => {
  expect(visitorOf(request(forwarded), noFront)).toMatchObject({
    address: "unknown",
    isSecure: false,
    hosts: ["127.0.0.1:7272"],
  });
  expect(visitorOf(request(forwarded), proxy)).toMatchObject({
    address: "10.0.0.7",
    isSecure: true,
    hosts: ["cloud.example.org"],
  });
});

function of(origin: string, front: Front): boolean {
  const asked = request({ ...forwarded, origin });
  return isOwnPage(asked.headers, visitorOf(asked, front));
}

test("a page over TLS is not a page without it", () => {
  expect(of("https://cloud.example.org", proxy)).toBe(true);
  expect(of("http://cloud.example.org", proxy)).toBe(false);
  expect(of("https://cloud.example.org", noFront)).toBe(false);
  const known = { trustsProxy: false, publicUrl: "https://cloud.example.org" };
  expect(of("https://cloud.example.org", known)).toBe(true);
  expect(of("https://cloud.example.org:8443", known)).toBe(false);
});

test("a program that says nothing of pages is none", () => {
  const asked = request({ host: "a" });
  const visitor = visitorOf(asked, noFront);
  expect(isForeignPage(asked.headers, visitor)).toBe(false);
  expect(isOwnPage(asked.headers, visitor)).toBe(false);
});
