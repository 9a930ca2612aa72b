/**
 * A real browser for the journeys: Debian's Chromium, driven by Playwright. It has the fonts of our
 * own packages, so that Chinese is Chinese on any machine. Every page tells its faults: an error that
 * nobody caught and a break of the content security policy fail the test at `close`.
 */
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";

/** A machine with two busy cores is slow, and a journey waits for what it needs, not for time. */
const waitMs = 60_000;
const fonts = resolve(import.meta.dirname, "../../node_modules/@embedpdf/fonts-sc/fonts");

export type Language = "en" | "zh-CN";
export type Theme = "light" | "dark";
export type Width = 1280 | 390;

export interface Look {
  readonly language: Language;
  readonly theme: Theme;
  readonly width: Width;
}

export const plainLook: Look = { language: "en", theme: "light", width: 1280 };

/** All that a page must look right in; each has a picture with MILLRACE_SCREENSHOTS. */
const allLooks: readonly Look[] = (["en", "zh-CN"] as const).flatMap((language) =>
  (["light", "dark"] as const).flatMap((theme) =>
    ([1280, 390] as const).map((width) => ({ language, theme, width })),
  ),
);
const withPictures = process.env["MILLRACE_SCREENSHOTS"] !== undefined;

/** Each page once each way: two looks that differ in everything. */
export const oppositeLooks: readonly Look[] = withPictures
  ? allLooks
  : [plainLook, { language: "zh-CN", theme: "dark", width: 390 }];

/** Each language, theme and width with each of the others: what may go wrong is of two of them. */
export const pairedLooks: readonly Look[] = withPictures
  ? allLooks
  : allLooks.filter(
      ({ language, theme, width }) =>
        (language === "en") === ((theme === "light") === (width === 1280)),
    );

export interface TestBrowser {
  /** A person of his own: cookies and storage are not shared with others. */
  readonly person: (baseUrl: string, look?: Look) => Promise<Person>;
  readonly close: () => Promise<void>;
}

export interface Person {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Throws what the page did wrong. */
  readonly close: () => Promise<void>;
}

export async function openBrowser(): Promise<TestBrowser> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-browser-"));
  const fontSettings = join(directory, "fonts.conf");
  await writeFile(
    fontSettings,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>` +
      `<include ignore_missing="yes">/etc/fonts/fonts.conf</include>` +
      `<dir>${fonts}</dir><cachedir>${join(directory, "fonts")}</cachedir></fontconfig>`,
  );
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    timeout: waitMs,
    // Chromium's own sandbox refuses root; what is opened here is ours.
    chromiumSandbox: process.getuid?.() !== 0,
    env: { ...stringsOf(process.env), FONTCONFIG_FILE: fontSettings },
  });
  return {
    person: (baseUrl, look = plainLook) => newPerson(browser, baseUrl, look),
    close: async () => {
      await browser.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

async function newPerson(browser: Browser, baseUrl: string, look: Look): Promise<Person> {
  const context = await browser.newContext({
    baseURL: baseUrl,
    locale: look.language,
    colorScheme: look.theme,
    reducedMotion: "reduce",
    viewport: { width: look.width, height: look.width === 390 ? 844 : 860 },
  });
  context.setDefaultTimeout(waitMs);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.stack ?? error.message));
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) faults.push(message.text());
  });
  return {
    page,
    context,
    close: async () => {
      await context.close();
      if (faults.length > 0) throw new Error(`The page failed:\n${faults.join("\n")}`);
    },
  };
}

function chromiumPath(): string {
  const named = process.env["MILLRACE_CHROMIUM"];
  if (named !== undefined) return named;
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(directory, "chromium");
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  throw new Error("There is no Chromium; `node bin/setup.mjs test-packages` installs it.");
}

function stringsOf(environment: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment))
    if (value !== undefined) kept[name] = value;
  return kept;
}
