import { expect, test } from "vitest";

import { browserName } from "./browser-name.ts";

test("browsers by their name, also those that call themselves by others' names too", () => {
  const webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
  expect(
    browserName(`Mozilla/5.0 (X11; Linux x86_64) ${webkit} Chrome/142.0.0.0 Safari/537.36`),
  ).toBe("Chrome 142, Linux");
  expect(
    browserName(`Mozilla/5.0 (Windows NT 10.0) ${webkit} Chrome/142.0 Safari/537.36 Edg/142.1`),
  ).toBe("Edge 142, Windows");
  expect(browserName("Mozilla/5.0 (Macintosh; Intel Mac OS X 15) Gecko Firefox/140.0")).toBe(
    "Firefox 140, macOS",
  );
  expect(browserName("Mozilla/5.0 (iPhone) AppleWebKit Version/19.1 Mobile Safari/604")).toBe(
    "Safari 19, iOS",
  );
  expect(browserName("curl/8.0")).toBeUndefined();
});
