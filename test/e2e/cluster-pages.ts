/** What the journeys on a cluster do and look at on their pages. */
import type { TFunction } from "i18next";
import type { Page } from "playwright-core";
import { z } from "zod";

import type { Client } from "#client/client.ts";
import { present } from "#kernel/assert.ts";

import type { Look } from "./browser.ts";
import { expectAccessible, expectNoOverflow, expectWords, shoot } from "./look.ts";
import { arrived } from "./sign-in.ts";

/** As every page is held to, in the picture's look. */
export async function wellMade(page: Page, name: string, look: Look): Promise<void> {
  await arrived(page);
  await shoot(page, `cluster-${name}`, look);
  await expectWords(page);
  await expectNoOverflow(page);
  await expectAccessible(page);
}

/** The page of a lease or a job says that this is its state. */
export async function isSaid(page: Page, state: string): Promise<void> {
  await page.locator(".page-head").getByText(state, { exact: true }).waitFor();
}

/** Presses a button of the page's head, and the one of its name in the dialog that it opens. */
export async function asks(page: Page, action: string): Promise<void> {
  await page.locator(".page-head").getByRole("button", { name: action }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: action }).click();
  await dialog.waitFor({ state: "detached" });
}

/** Red, green and blue of a point of the machine's screen. */
export async function colorShown(page: Page): Promise<readonly number[]> {
  const point = await page.evaluate(
    "[...document.querySelector('.vnc canvas').getContext('2d').getImageData(9, 9, 1, 1).data]",
  );
  return z.array(z.number()).parse(point).slice(0, 3);
}

/** The dialog about moving a machine, from the page of its host. */
export async function asksToMove(
  page: Page,
  of: {
    readonly operator: Client;
    readonly host: string;
    readonly name: string;
    readonly t: TFunction;
  },
): Promise<void> {
  const { items } = await of.operator.call("listHosts");
  const { id } = present(
    items.find(({ name }) => name === of.host),
    "the host",
  );
  await page.goto(`/operate/hosts/${id}`);
  await arrived(page);
  // A row of the table, or a card where the screen is narrow.
  await page
    .locator("tr, li")
    .filter({ hasText: of.name })
    .getByRole("button", { name: of.t("lease.move.ask") })
    .click();
}
