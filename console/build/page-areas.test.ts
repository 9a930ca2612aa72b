/** A page's texts come with it: of what its modules name, nothing is missing and little is too much. */
import { join } from "node:path";
import { expect, test } from "vitest";

import { pageAreas } from "./page-areas.ts";

const source = join(import.meta.dirname, "../src");
const { frame, pages, titles } = pageAreas(source);

test("the frame has the words that every page shows, and not those of the pages", () => {
  expect(frame).toEqual(expect.arrayContaining(["common", "shell", "states"]));
  expect(frame.length).toBeLessThan(6);
});

test("a page has the texts of its own area, and those of parts that it borrows", () => {
  expect(pages["/jobs/new"]).toEqual(expect.arrayContaining(["jobs", "files"]));
  expect(pages["/operate/queue"]).toEqual(expect.arrayContaining(["queue", "jobs"]));
  // Keys that are put together: `statements.account.${account}`.
  expect(pages["/billing/statements"]).toContain("statements");
});

test("a page does not have everything, and permissions are no texts", () => {
  expect(pages["/files"]).toEqual(["files"]);
  expect(frame).not.toContain("billing");
});

test("each page of the table is known with its name", () => {
  expect(Object.keys(pages).length).toBe(titles.length);
});
