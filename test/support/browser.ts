/**
 * A real browser, for tests of the page: Chromium where there is one. Elsewhere the tests say so and are skipped,
 * but never in CI.
 */
import { accessSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";

const CANDIDATES = [
  process.env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const executablePath = CANDIDATES.find((path) => path && exists(path));

function exists(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Chromium's own traffic would go to hosts that a test has no business with. */
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"];

/** A tab of its own, with what its page complained about. */
export interface Tab {
  readonly page: Page;
  readonly complaints: string[];
}

/** A test that gets a browser's tabs; they are closed whatever happens. */
export function browserTest(
  name: string,
  body: (open: (url: string) => Promise<Tab>) => Promise<void>,
): void {
  if (executablePath === undefined) {
    if (process.env["CI"])
      throw new Error("Chromium is not installed, and CI skips nothing: apt-get install chromium");
    void test.skip(`${name} (Chromium is not installed)`);
    return;
  }
  test(name, async () => {
    const browser = await chromium.launch({ executablePath, args: ARGS });
    try {
      await body((url) => openTab(browser, url));
    } finally {
      await browser.close();
    }
  });
}

async function openTab(browser: Browser, url: string): Promise<Tab> {
  const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
  const complaints: string[] = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(url);
  return { page, complaints };
}
