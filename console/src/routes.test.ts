/** The table of pages: nothing twice, and no link leads nowhere. */
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const table = readFileSync("console/src/routes.tsx", "utf8");
const paths = [...table.matchAll(/^ {4}path: "([^"]+)"/gm)].map((match) => match[1] ?? "");

test("no path stands twice in the table", () => {
  expect(paths.length).toBeGreaterThan(0);
  expect(new Set(paths).size).toBe(paths.length);
});

test("every link leads to a page of the table", () => {
  const lost: string[] = [];
  for (const file of globSync("console/src/**/*.tsx")) {
    for (const match of readFileSync(file, "utf8").matchAll(/\bto[:=] ?"(\/[^"]*)"/g)) {
      const to = match[1] ?? "";
      if (to !== "/sign-in" && !paths.includes(to)) lost.push(`${file}: ${to}`);
    }
  }
  expect(lost).toEqual([]);
});
