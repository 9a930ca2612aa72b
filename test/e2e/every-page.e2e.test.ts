/**
 * Every page of the console over a cloud that looks like one in use, in both languages and both
 * themes, wide and narrow: no word is left untranslated, nothing is wider than the screen, axe finds
 * nothing grave. With MILLRACE_SCREENSHOTS, a picture of each.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";

import { believableFlags, furnish, type Believable } from "./believable.ts";
import { openBrowser, oppositeLooks, type Look, type TestBrowser } from "./browser.ts";
import { startConsoleCloud, type ConsoleCloud } from "./console-cloud.ts";
import { expectAccessible, expectNoOverflow, expectWords, shoot } from "./look.ts";
import { placesOf } from "./places.ts";
import { arrived, signIn } from "./sign-in.ts";
import { wordsOf } from "./words.ts";

let cloud: ConsoleCloud;
let browser: TestBrowser;
let believable: Believable;

beforeAll(async () => {
  [cloud, browser] = await Promise.all([startConsoleCloud(believableFlags), openBrowser()]);
  believable = await furnish(cloud);
});

afterAll(async () => {
  await browser.close();
  await cloud.close();
});

async function wellMade(page: Page, name: string, look: Look): Promise<void> {
  await arrived(page);
  await shoot(page, name, look);
  await expectWords(page);
  await expectNoOverflow(page);
  await expectAccessible(page);
}

/** From the invoice to its proof, which the page makes itself. */
async function proveInvoice(page: Page, look: Look): Promise<void> {
  const t = await wordsOf(look.language);
  await page.goto(`/billing/invoices/${believable.ids["invoice"] ?? ""}`);
  await page.getByRole("link", { name: t("verify.check") }).click();
  await page.getByRole("heading", { level: 1, name: t("verify.title") }).waitFor();
  await page.getByRole("button", { name: t("verify.check") }).click();
  await page.getByText(t("verify.proved", { what: believable.closed.month })).waitFor();
  await wellMade(page, "billing-verify-proved", look);
}

test.each(oppositeLooks)(
  "every page: $language, $theme, $width px",
  { timeout: 600_000 },
  async (look) => {
    const places = placesOf(believable);
    for (const [key, wanted] of [
      [believable.main.key, places.customer],
      [believable.closed.second.key, places.second],
      [cloud.key, places.operator],
    ] as const) {
      // oxlint-disable no-await-in-loop -- one browser, one page after the other
      const { page, close } = await browser.person(cloud.url, look);
      await signIn(page, key);
      for (const { name, address } of wanted) {
        try {
          await page.goto(address);
          await wellMade(page, name, look);
        } catch (cause) {
          throw new Error(`${address}: ${cause instanceof Error ? cause.message : String(cause)}`, {
            cause,
          });
        }
      }
      if (key === believable.main.key) await proveInvoice(page, look);
      await close();
      // oxlint-enable no-await-in-loop
    }
  },
);
