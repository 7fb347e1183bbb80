/**
 * What the command tells people: its help, and the banner of a service that has started.
 */
import type { Runtime } from "../runtime.ts";
import type { Listening, Servable } from "../serve.ts";
import { SETTINGS, type SocketIoOptions } from "../settings.ts";
import { APP_FILES } from "./app-file.ts";

/** Hinoko's own version, which package.json and deno.json have too: neither is there for a bundle, or on JSR. */
export const VERSION = "0.1.0";

/** The help of `hinoko runserver`, with every setting and its default. */
export function help(runtimes: readonly string[]): string {
  const settings = Object.values(SETTINGS).map(
    ({ variable, about, fallback }) => [variable, `${about} (default: ${fallback})`] as const,
  );
  return `Usage: hinoko runserver [HOST:PORT] [options] [-- FLAGS]

Serves Hono and Socket.IO as one service, at 0.0.0.0:8000 unless told otherwise.

Options
${table([
  ["--app FILE", "an author's module; its default export gets the service: (service) => void"],
  ["", `(default: the first of ${APP_FILES.join(", ")} that is there, else the demo)`],
  [
    "--runtime NAME",
    `the runtime to run under: ${runtimes.join(", ")} (default: the one that runs the command)`,
  ],
  ["--reload", "start again when a file changes"],
  ["-- FLAGS", "flags for the runtime, as in: --runtime deno -- --allow-write=data"],
  ["-h, --help", "this help"],
  ["-v, --version", "Hinoko's version"],
])}

Environment, and the file .env in the current folder (what is set already wins over the file)
${table(settings)}
`;
}

/**
 * What is said when a service has started.
 * @param app the author's file, if there is one
 */
export function banner(
  runtime: Pick<Runtime, "name" | "version">,
  { url }: Listening,
  service: Servable,
  app: string | undefined,
): string {
  const { chat, host, allowedHosts, allowedOrigins, socketio } = service.settings;
  return `Hinoko ${VERSION} on ${runtime.name} ${runtime.version}
${table([
  ["Address", host === new URL(url).hostname ? url : `${url} (listening on ${host})`],
  ["App", app ?? `${chat ? "the demo" : "none"}: no --app, and no ${APP_FILES.join(", ")} here`],
  ["Transports", socketio.transports?.join(", ") ?? ""],
  ["Adapter", adapterName(socketio.adapter)],
  ["Hosts", allowedHosts.join(", ") || "none: set ALLOWED_HOSTS, or every request is refused"],
  [
    "Origins",
    [...new Set(["the service's own", ...named(allowedOrigins), ...corsOrigins(socketio.cors)])].join(", "),
  ],
])}`;
}

const adapterName = (adapter: unknown): string => (typeof adapter === "function" ? adapter.name : "memory");

/** Those that are listed by name: "*" stands in `socketio.cors` too, unless that is narrower. */
const named = (origins: readonly string[]): string[] => origins.filter((origin) => origin !== "*");

/** The origins that `socketio.cors` lets in besides; a function is shown as one. */
function corsOrigins(cors: SocketIoOptions["cors"]): string[] {
  const origin = typeof cors === "object" ? (cors.origin ?? []) : [];
  const shown = [origin]
    .flat()
    .map((one) => (typeof one === "function" ? "those a function allows" : String(one)));
  return shown.filter((one) => one !== "false");
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, text]) => `  ${name.padEnd(width)}${text}`).join("\n");
}
