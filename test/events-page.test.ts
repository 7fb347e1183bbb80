/**
 * The page at /hinoko/events: in a real browser it lists the events of a contract, emits one, and shows what comes.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createService, EventError } from "../src/index.ts";
import { browserTest } from "./support/browser.ts";
import { events } from "./support/contract.ts";
import { serve } from "./support/runtime.ts";
import { QUIET } from "./support/service.ts";

const createBoard = (options: Parameters<typeof createService>[0] = {}) => {
  const service = createService({ ...QUIET, ...options, events });
  const board = service.io.of("/board");
  board.on("connection", (socket) =>
    socket.on("move", ({ card }) => {
      if (card === "joker") throw new EventError("NO_JOKERS", "There are no jokers");
      return { moved: board.emit("moved", { card }) };
    }),
  );
  return service;
};

browserTest(
  "the page lists events, emits one with the keyboard, and shows its answer and what fails",
  async (open) => {
    const { url, close } = await serve(createBoard());
    try {
      const { page, complaints } = await open(`${url}/hinoko/events`);
      const field = page.getByLabel("move", { exact: true });
      await field.waitFor();
      assert.deepEqual(Object.keys(JSON.parse(await field.inputValue())).sort(), ["card", "to"]);
      assert.deepEqual(await page.locator("#contract h2").allTextContents(), ["/", "/board"]);

      await field.fill('{ "card": "<b>ace</b>", "to": 1 }');
      await field.press("Control+Enter");
      const log = page.getByRole("log");
      await log.getByText("acknowledgement of move").waitFor();
      assert.match((await log.textContent()) ?? "", /← moved {\s*"card": "<b>ace<\/b>"\s*}/);

      await field.fill('{ "card": "joker", "to": 1 }');
      await page.getByRole("button", { name: "Emit move" }).click();
      await log.getByText("NO_JOKERS").waitFor();
      await field.fill('{ "card": 1, "to": 1 }');
      await page.getByRole("button", { name: "Emit move" }).click();
      await log.getByText("INVALID").waitFor();
      await field.fill("{");
      await page.getByRole("button", { name: "Emit move" }).click();
      await log.getByText("JSON").waitFor();
      assert.deepEqual(complaints, []);
    } finally {
      await close();
    }
  },
);

test("the page runs only scripts of the service, and is not there in production", async () => {
  for (const [options, status] of [
    [{}, 200],
    [{ production: true, allowedHosts: "*" }, 404],
  ] as const) {
    const { url, close } = await serve(createBoard(options));
    const response = await fetch(`${url}/hinoko/events`);
    await response.text();
    await close();
    assert.equal(response.status, status);
    if (status === 200)
      assert.match(
        response.headers.get("content-security-policy") ?? "",
        /script-src 'self'; style-src 'self'/,
      );
  }
});
