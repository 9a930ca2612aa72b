/** One of a long list is put in its place, and nothing else changes. */
import { expect, test } from "vitest";

import { hasItem, withItem } from "./paged.ts";

const list = {
  pages: [
    {
      items: [
        { id: "a", is: 1 },
        { id: "b", is: 1 },
      ],
      next: "x",
    },
    { items: [{ id: "c", is: 1 }] },
  ],
  pageParams: [undefined, "x"],
};

test("what changed has the place that it had; pages without it are the same objects", () => {
  const now = { id: "b", is: 2 };
  const mended = withItem(list, now);
  expect(mended).toEqual({
    ...list,
    pages: [
      {
        items: [
          { id: "a", is: 1 },
          { id: "b", is: 2 },
        ],
        next: "x",
      },
      list.pages[1],
    ],
  });
  expect(mended).toHaveProperty("pages.1", list.pages[1]);
  expect(withItem(list, { id: "z" })).toEqual(list);
});

test("what is no list in pages is left as it is", () => {
  for (const data of [undefined, null, { items: [{ id: "a" }] }, { pages: [undefined, {}] }]) {
    expect(withItem(data, { id: "a" })).toEqual(data);
    expect(hasItem(data, "a")).toBe(false);
  }
  expect(hasItem(list, "c")).toBe(true);
});
