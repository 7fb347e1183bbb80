/**
 * The author's app: the file that is served, and what is said when it cannot be loaded.
 */
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { stripVTControlCharacters } from "node:util";
import type { EventContract } from "../events/define.ts";
import type { App } from "../service.ts";

/** An app that cannot be loaded. */
export class AppError extends Error {
  override name = "AppError";
}

/** An author's module. */
interface AppModule {
  readonly app: App;
  /** What it exports as `events`: the contract of the service that the app gets. */
  readonly events: EventContract | undefined;
}

/** Where an app is looked for, from the current folder, when none is named. */
export const APP_FILES = ["app.ts", "app.js", "src/app.ts", "src/app.js"];

/** Finds the app that is served when none is named: the first of `APP_FILES` that is there. */
export async function findApp(): Promise<string | undefined> {
  for (const file of APP_FILES) {
    if (await isFile(file)) return file;
  }
  return undefined;
}

const isFile = (file: string): Promise<boolean> =>
  stat(file).then(
    (found) => found.isFile(),
    () => false,
  );

/**
 * Loads an author's module.
 * @param file its path, from the current folder
 * @throws {AppError} when it cannot be loaded, or has no app; an error of its own code is thrown as it is
 */
export async function loadApp(file: string): Promise<AppModule> {
  const path = resolve(file);
  await readFile(path).catch(() => {
    throw new AppError(`Cannot load the app ${file}: there is no such file, or it cannot be read`);
  });
  const module: { default?: unknown; events?: unknown } = await import(pathToFileURL(path).href).catch(
    (error: unknown) => {
      // An error of the author's own code keeps its stack; a file that cannot be loaded has none worth reading.
      const reason = loadError(error);
      throw reason === undefined ? error : new AppError(`Cannot load the app ${file}: ${reason}`);
    },
  );
  const { default: app, events } = module;
  if (!isApp(app)) {
    throw new AppError(
      `The app ${file} must have a function (service) => void as default export (got ${typeof app})`,
    );
  }
  return { app, events: isContract(events) ? events : undefined };
}

// The language's own, Bun's two, and esbuild's, which tsx has under it.
const LOAD_ERRORS = new Set(["SyntaxError", "BuildMessage", "ResolveMessage", "TransformError"]);
const LOAD_CODES = /^ERR_(?:MODULE_NOT_FOUND|(?:PACKAGE|UNKNOWN|UNSUPPORTED)_\w+)$/;

/** What Node.js before 22.18 says of TypeScript, in which it is often the app itself. */
const NO_TYPESCRIPT = /^Unknown file extension "\.[cm]?tsx?"/;
const TYPESCRIPT_REMEDY =
  'this Node.js runs no TypeScript: take Node.js 22.18 or later, or "npm install --save-dev tsx" and add "-- --import tsx" to the command';

/** What keeps a file from being loaded, in one line; `undefined` for an error that its code has thrown. */
function loadError(error: unknown): string | undefined {
  if (error instanceof AggregateError) return loadError(error.errors[0]); // Bun's, when there are several
  if (!(error instanceof Error)) return undefined;
  const isOne = LOAD_ERRORS.has(error.name) || ("code" in error && LOAD_CODES.test(String(error.code)));
  if (!isOne) return undefined;
  const message = stripVTControlCharacters(error.message).replace(/\s+/g, " ");
  return NO_TYPESCRIPT.test(message) ? `${message}; ${TYPESCRIPT_REMEDY}` : message;
}

/** Whether a module's `events` are a contract, and not, say, an EventEmitter. */
const isContract = (value: unknown): value is EventContract =>
  typeof value === "object" &&
  value !== null &&
  ["client", "server", "namespaces"].some((key) => Object.hasOwn(value, key));

const isApp = (value: unknown): value is App => typeof value === "function";
