/**
 * The floor plan: which folder may import from which. Each may import from those that stand behind it in the list, types
 * included, and no modules import each other in a circle.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** From top to bottom. Rooms on one floor do not import from each other, unless SIDEWAYS lets them. */
const FLOORS: readonly (readonly string[])[] = [
  ["runtimes"],
  ["src/cli.ts", "src/cli"],
  ["src/testing"],
  ["src/index.ts"],
  ["src/service.ts"],
  ["src/serve.ts", "src/demo", "src/http", "src/realtime", "src/scaling", "src/operation", "src/events"],
  ["src/runtime.ts"],
  ["src/engine"],
  ["src/settings.ts"],
  ["src/web-origin.ts", "src/output.ts"],
];

/** Who may import from a neighbour on its own floor. */
const SIDEWAYS: Readonly<Record<string, readonly string[]>> = {
  "src/cli.ts": ["src/cli"],
};

/** A room with a door. */
const CLOSED_ROOM = "runtimes/node/websocket";

const files = ["src", "runtimes"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.[jt]s$/.test(file))
    .map((file) => join(folder, file)),
);

/** The modules of the house that a module imports, its types included, or exports again. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  return [...text.matchAll(/\b(?:from|import|import\()\s*"(\.[^"]+)"/g)]
    .map(([, path = ""]) => join(dirname(file), path))
    .filter((path) => /^(?:src|runtimes)\//.test(path));
}

const imports = new Map(files.map((file) => [file, importsOf(file)]));

/** The room that a file is in, and the floor that the room is on. */
function placeOf(file: string): { room: string; floor: number } {
  for (const [floor, rooms] of FLOORS.entries()) {
    const room = rooms.find((room) => file === room || file.startsWith(`${room}/`));
    if (room) return { room, floor };
  }
  throw new Error(`${file} is in no room of the house: give it a place in test/house.test.ts`);
}

/** Fails with a sentence for each thing that is wrong. */
const expectNone = (wrong: readonly string[]) => assert.ok(wrong.length === 0, wrong.join("\n"));

test("imports go down the house, and not sideways", () => {
  const wrong: string[] = [];
  for (const [file, targets] of imports) {
    const from = placeOf(file);
    for (const target of targets) {
      const to = placeOf(target);
      if (to.room === from.room || to.floor > from.floor || SIDEWAYS[from.room]?.includes(to.room)) continue;
      const where = to.floor < from.floor ? "above" : "beside";
      wrong.push(`${file} imports ${target}, but ${to.room} is ${where} ${from.room}: imports go down only`);
    }
  }
  expectNone(wrong);
});

test("no modules import each other in a circle", () => {
  const seen = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    if (seen.has(file)) return;
    seen.add(file);
    for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
  };
  for (const file of files) visit(file, []);
  expectNone(circles.map((circle) => `These modules import each other in a circle: ${circle}`));
});

test("a runtime imports nothing of another's, and a room with a door is entered by it, and imports nothing from outside", () => {
  const wrong: string[] = [];
  const runtimeOf = (file: string) => /^runtimes\/(node|bun|deno)\//.exec(file)?.[1];
  for (const [file, targets] of imports) {
    for (const target of targets) {
      const [own, other] = [runtimeOf(file), runtimeOf(target)];
      if (own && other && own !== other) wrong.push(`${file} imports ${target}, which is another runtime's`);
      const [isInside, isTargetInside] = [file, target].map((path) => path.startsWith(`${CLOSED_ROOM}/`));
      if (isInside && !isTargetInside) wrong.push(`${file} imports ${target}, from outside its room`);
      if (!isInside && isTargetInside && target !== `${CLOSED_ROOM}/index.ts`) {
        wrong.push(`${file} imports ${target}: enter ${CLOSED_ROOM} by its index.ts`);
      }
    }
  }
  expectNone(wrong);
});

test("src/runtime.ts has types only", () => {
  const text = readFileSync(join(ROOT, "src/runtime.ts"), "utf8");
  const values = text.match(/^(?:import|export) (?!type |interface |declare )(?!\{ type ).*/gm) ?? [];
  expectNone(values.map((line) => `src/runtime.ts has types only, but for this line: ${line}`));
});
