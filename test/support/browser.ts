/**
 * Tests in a real browser, Chromium. Where it is not installed they are skipped, with the reason in their name; in CI
 * they fail instead.
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

/** Among others: Chromium's own background traffic is off, which would go to hosts on the internet. */
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"];

/** A tab in a browser context of its own, with the errors of its page. */
export interface Tab {
  readonly page: Page;
  readonly complaints: string[];
}

/** Defines a test that opens tabs in a browser. The browser is closed when the test ends or fails. */
export function browserTest(
  name: string,
  body: (open: (url: string) => Promise<Tab>) => Promise<void>,
): void {
  if (executablePath === undefined) {
    if (process.env["CI"])
      throw new Error("Chromium must be installed in CI, where no test is skipped: apt-get install chromium");
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
