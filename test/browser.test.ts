/**
 * The page at `/` in a real browser: two people chat, and reconnect to a server that was killed.
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browserTest } from "./support/browser.ts";
import { type Running, start } from "./support/process.ts";
import { withService } from "./support/service.ts";

async function join(page: Page, name: string, room = "lobby"): Promise<void> {
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Room", { exact: true }).fill(room);
  await page.getByRole("button", { name: "Join" }).click();
  await page.locator("#chat").waitFor();
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  await page.getByRole("button", { name: "Send", exact: true }).click();
}

const heard = (page: Page, text: string) => page.locator("#messages .message", { hasText: text });
const present = (page: Page) =>
  page
    .locator("#members .member")
    .evaluateAll((items) => items.map((item) => item.getAttribute("data-name")).sort());
/** Waits until the page shows these members of the room. */
const online = (page: Page, names: string[]) =>
  page.waitForFunction(
    (expected) =>
      [...document.querySelectorAll("#members .member")]
        .map((item) => item.getAttribute("data-name"))
        .sort()
        .join() === expected,
    [...names].sort().join(),
  );
const connection = (page: Page, state: string) => page.locator(`#status[data-state="${state}"]`).waitFor();

browserTest(
  "two people chat, and see presence, delivery, typing, rooms, the transport and the runtime",
  (open) =>
    withService({ chat: true }, async ({ url }) => {
      const [ann, ben] = [await open(url), await open(url)];
      await join(ann.page, "Ann");
      await join(ben.page, "Ben");
      await online(ann.page, ["Ann", "Ben"]);
      await online(ben.page, ["Ann", "Ben"]);

      await say(ann.page, "火の粉 <b>sparks</b>");
      await heard(ben.page, "火の粉 <b>sparks</b>").waitFor();
      await heard(ann.page, "sparks").and(ann.page.locator('[data-delivery="delivered"]')).waitFor();
      assert.equal(await heard(ben.page, "sparks").count(), 1);

      await ben.page.getByRole("textbox", { name: "Message" }).pressSequentially("hm");
      await ann.page.getByText("Ben is typing").waitFor();

      assert.equal(await ann.page.locator("#transport").getAttribute("data-transport"), "websocket");
      const runtime = await ann.page.locator("body").getAttribute("data-runtime");
      assert.match((await ann.page.locator("#runtime").textContent()) ?? "", new RegExp(`^${runtime} \\d`));

      await ben.page.getByLabel("Go to another room").fill("elsewhere");
      await ben.page.getByRole("button", { name: "Go", exact: true }).click();
      await online(ann.page, ["Ann"]);
      await ben.page.close();
      assert.deepEqual(await present(ann.page), ["Ann"]);
      assert.deepEqual([ann.complaints, ben.complaints], [[], []]);
    }),
);

browserTest(
  "clients reconnect to a server that was killed and started again, and are back in their room",
  async (open) => {
    let server: Running = await start(["runserver", "127.0.0.1:0"]);
    try {
      const { url } = server;
      const [ann, ben] = [await open(url), await open(url)];
      await join(ann.page, "Ann");
      await join(ben.page, "Ben");
      await online(ann.page, ["Ann", "Ben"]);

      await server.kill();
      await connection(ann.page, "reconnecting");
      await connection(ben.page, "reconnecting");
      server = await start(["runserver", new URL(url).host]);
      await connection(ann.page, "connected");
      await connection(ben.page, "connected");
      await online(ann.page, ["Ann", "Ben"]);
      await say(ben.page, "back again");
      await heard(ann.page, "back again").waitFor();
    } finally {
      await server.kill();
    }
  },
);
