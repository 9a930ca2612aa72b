/** Ways in, as a person goes them. */
import type { Page } from "playwright-core";
import { expect } from "vitest";

const timeout = 60_000;

/** With an API key, by the form; then at `path`. */
export async function signIn(page: Page, key: string, path = "/"): Promise<void> {
  await page.goto(`/sign-in?return=${encodeURIComponent(path)}`);
  await page.locator("input[type=password]").fill(key);
  await page.locator("button[type=submit]").click();
  await arrived(page);
}

/** A page of the frame is drawn, with its data. */
export async function arrived(page: Page): Promise<void> {
  await page.locator("main#page h1").waitFor();
  await settled(page);
}

/** Nothing on the page is being read any more. */
export async function settled(page: Page): Promise<void> {
  await expect.poll(() => page.locator("main [aria-busy=true]").count(), { timeout }).toBe(0);
}
