/** What every page is held to: no serious fault of access, no overflow, and a picture to look at. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { z } from "zod";

import { en } from "#console/i18n/en/index.ts";

import type { Look } from "./browser.ts";
import { arrived, settled } from "./sign-in.ts";

const violations = z.array(
  z.object({
    id: z.string(),
    impact: z.string().nullable(),
    nodes: z.array(z.object({ html: z.string(), failureSummary: z.string().optional() })),
  }),
);

/** axe finds nothing serious or critical. */
export async function expectAccessible(page: Page): Promise<void> {
  // Evaluated, not loaded: the content security policy forbids scripts from elsewhere.
  if (!(await page.evaluate("typeof axe === 'object'"))) {
    await page.evaluate(axe.source);
  }
  const found = violations.parse(
    await page.evaluate(
      "axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations)",
    ),
  );
  const grave = found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html}\n  ${node.failureSummary ?? ""}`),
    );
  expect(grave).toEqual([]);
}

/** Nothing is wider than the screen. */
export async function expectNoOverflow(page: Page): Promise<void> {
  const over = z
    .number()
    .parse(await page.evaluate("document.documentElement.scrollWidth - innerWidth"));
  expect(over).toBeLessThanOrEqual(0);
}

/** No key of a text is shown in its place, and nothing that was meant to be filled in. */
export async function expectWords(page: Page): Promise<void> {
  const shown = await page.locator("body").innerText();
  const keys = shown.match(/[a-zA-Z]+(?:\.[a-zA-Z_]+)+/g)?.filter(isKey) ?? [];
  expect([...keys, ...(shown.match(/\{\{[^}]*\}\}/g) ?? [])]).toEqual([]);
}

const texts: Readonly<Record<string, object>> = en;

function isKey(text: string): boolean {
  const [area = "", name = ""] = text.split(".");
  return name in (texts[area] ?? {});
}

/** Into the folder that MILLRACE_SCREENSHOTS names, if it names one. */
export async function shoot(page: Page, name: string, look: Look): Promise<void> {
  const folder = process.env["MILLRACE_SCREENSHOTS"];
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  const file = `${name}.${look.language}.${look.theme}.${look.width}.png`;
  await page.screenshot({ path: join(folder, file), fullPage: true, animations: "disabled" });
}

/** Each of these pages, once it stands still, is accessible, fits the screen, and has its picture taken. */
export async function expectWellMade(
  page: Page,
  pages: readonly (readonly [name: string, path: string])[],
  look: Look,
): Promise<void> {
  for (const [name, path] of pages) {
    // oxlint-disable no-await-in-loop -- one page after the other
    await page.goto(path);
    await arrived(page);
    await settled(page);
    await expectAccessible(page);
    await expectNoOverflow(page);
    await shoot(page, name, look);
    // oxlint-enable no-await-in-loop
  }
}
