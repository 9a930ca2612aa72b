import { expect, test } from "vitest";

import { clearCookie, presentedIn, setCookie } from "./credential.ts";

const secret = `mrs_000000000000_${"A".repeat(43)}`;

test("a cookie is for this server alone, and over TLS for TLS alone", () => {
  const rules = "HttpOnly; SameSite=Strict; Path=/";
  expect(setCookie(secret, { isSecure: true, seconds: 60 })).toBe(
    `millrace_session=${secret}; ${rules}; Max-Age=60; Secure`,
  );
  expect(setCookie(secret, { isSecure: false, seconds: 60 })).not.toContain("Secure");
  expect(clearCookie({ isSecure: true })).toBe(`millrace_session=; ${rules}; Max-Age=0; Secure`);
});

test("the cookie is found among others, whole", () => {
  const found = { kind: "cookie", text: secret };
  expect(presentedIn({ cookie: `millrace_session=${secret}` })).toEqual(found);
  expect(presentedIn({ cookie: `a=1; millrace_session=${secret};b=2` })).toEqual(found);
  expect(presentedIn({ cookie: `not_millrace_session=${secret}` })).toBeUndefined();
  expect(() => presentedIn({ cookie: `millrace_session=${secret}x` })).toThrow("no such session");
  expect(() => presentedIn({ cookie: "millrace_session=" })).toThrow("no such session");
});

test("a header that is no API key is refused, whatever the cookie is", () => {
  const cookie = `millrace_session=${secret}`;
  for (const authorization of ["", "Basic abc", "Bearer", `Bearer ${secret}`]) {
    expect(() => presentedIn({ authorization, cookie })).toThrow("Send an API key");
  }
});
