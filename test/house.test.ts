/**
 * Which folders may import from which, types included: a folder may import from those below it in FLOORS, and modules
 * must not import each other in a circle. Whoever adds a file or folder to src gives it a place there.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The files and folders from top to bottom. Those on one floor may not import each other, unless SIDEWAYS says so. */
const FLOORS: readonly (readonly string[])[] = [
  ["runtimes"],
  ["src/cli.ts", "src/cli", "src/write-scripts.ts"],
  ["src/testing"],
  ["src/index.ts"],
  ["src/service.ts"],
  ["src/serve.ts", "src/demo", "src/http", "src/realtime", "src/scaling", "src/operation", "src/events"],
  ["src/runtime.ts"],
  ["src/engine"],
  ["src/settings.ts"],
  ["src/socketio-options.ts"],
  ["src/setting-forms.ts", "src/settings-error.ts", "src/output.ts", "src/ending.ts"],
  ["src/web-origin.ts", "src/failure.ts"],
];

/** Files that may import from others on their own floor. */
const SIDEWAYS: Readonly<Record<string, readonly string[]>> = {
  "src/cli.ts": ["src/cli"],
  "src/events": ["src/operation"],
  "src/operation": ["src/realtime"],
};

/** A folder that the others may import only through its index.ts, and that imports nothing from outside. */
const CLOSED_ROOM = "runtimes/node/websocket";

const files = ["src", "runtimes"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.[jt]s$/.test(file))
    .map((file) => join(folder, file)),
);

/** Lists the modules of this project that a module imports or exports again, types included. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  return [...text.matchAll(/\b(?:from|import|import\()\s*"(\.[^"]+)"/g)]
    .map(([, path = ""]) => join(dirname(file), path))
    .filter((path) => /^(?:src|runtimes)\//.test(path));
}

const imports = new Map(files.map((file) => [file, importsOf(file)]));

/** Finds the entry of FLOORS that a file belongs to, and its floor. */
function placeOf(file: string): { room: string; floor: number } {
  for (const [floor, rooms] of FLOORS.entries()) {
    const room = rooms.find((room) => file === room || file.startsWith(`${room}/`));
    if (room) return { room, floor };
  }
  throw new Error(`Every file must have a place in FLOORS of test/house.test.ts (got ${file})`);
}

/** Fails with a sentence for each wrong import. */
const expectNone = (wrong: readonly string[]) => assert.ok(wrong.length === 0, wrong.join("\n"));

test("modules import only from lower floors", () => {
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

test("no runtime imports from another one, and the WebSockets of Node are imported through their index only", () => {
  const wrong: string[] = [];
  const runtimeOf = (file: string) => /^runtimes\/(node|bun|deno)\//.exec(file)?.[1];
  for (const [file, targets] of imports) {
    for (const target of targets) {
      const [own, other] = [runtimeOf(file), runtimeOf(target)];
      if (own && other && own !== other) wrong.push(`${file} imports ${target}, which is another runtime's`);
      const [isInside, isTargetInside] = [file, target].map((path) => path.startsWith(`${CLOSED_ROOM}/`));
      if (isInside && !isTargetInside)
        wrong.push(`${file} imports ${target}, but must import nothing from outside ${CLOSED_ROOM}`);
      if (!isInside && isTargetInside && target !== `${CLOSED_ROOM}/index.ts`) {
        wrong.push(`${file} imports ${target}, but must import ${CLOSED_ROOM}/index.ts instead`);
      }
    }
  }
  expectNone(wrong);
});

test("hinoko/events imports nothing that a browser lacks", () => {
  const wrong: string[] = [];
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(join(ROOT, file), "utf8");
    for (const [line, path = ""] of text.matchAll(/^(?:import|export) (?!type )[^;]*? from "([^"]+)";/gm)) {
      if (path.startsWith(".")) visit(join(dirname(file), path));
      else wrong.push(`${file}, which browsers load as part of hinoko/events, has this line: ${line}`);
    }
  };
  visit("src/events/index.ts");
  assert.deepEqual([...seen].sort(), ["src/events/define.ts", "src/events/index.ts", "src/failure.ts"]);
  expectNone(wrong);
});

test("src/runtime.ts contains only types", () => {
  const text = readFileSync(join(ROOT, "src/runtime.ts"), "utf8");
  const values = text.match(/^(?:import|export) (?!type |interface |declare )(?!\{ type ).*/gm) ?? [];
  expectNone(values.map((line) => `src/runtime.ts has types only, but for this line: ${line}`));
});
