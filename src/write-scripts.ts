/**
 * npm run write-scripts: writes the files in each browser/ into the scripts.ts beside it, as strings. The server imports
 * that module and so reads no file at run time, because a bundle, a compiled binary and JSR have none.
 * test/pages.test.ts fails when a scripts.ts is out of date.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

for (const room of ["demo", "events"]) {
  const folder = new URL(`./${room}/browser/`, import.meta.url);
  const entries = readdirSync(folder)
    .toSorted()
    .map(
      (name) =>
        `  ${JSON.stringify(name)}: ${JSON.stringify(readFileSync(new URL(name, folder), "utf8"))},\n`,
    );

  writeFileSync(
    new URL(`./${room}/scripts.ts`, import.meta.url),
    `// Written by write-scripts.ts ("npm run write-scripts") from the files in browser/, by their names: edit those.
export const scripts = {\n${entries.join("")}};\n`,
  );
}
