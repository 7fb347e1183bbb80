/**
 * Serves a real service on a free port while a test runs.
 */
import assert from "node:assert/strict";
import {
  createService,
  type Listening,
  type ServeOptions,
  type Service,
  type ServiceOptions,
} from "../../src/index.ts";
import { hasEngineIo, serve } from "./runtime.ts";

/** A logger that drops everything: refusals and failures that a test provokes are not shown. */
export const silent = { info() {}, warn() {}, error() {} };

export interface Served extends Listening {
  readonly service: Service;
  /** The address with "ws:" in place of "http:". */
  readonly ws: string;
}

/** The settings of a service, and the key and certificate if it is served over TLS. */
export type TestOptions = ServiceOptions & Pick<ServeOptions, "tls">;

type Setup = (service: Service) => unknown;
type Test = (served: Served) => Promise<void>;

/** The settings of a service in a test: no demo, a free port of the loopback address, and no log. */
export const QUIET = { logger: silent, chat: false, host: "127.0.0.1", port: 0 } satisfies ServiceOptions;

/**
 * Runs a test with a `socketio` option that only engine.io supports. With other engines the test does not run: there,
 * serve() must reject the option by name instead of ignoring it.
 */
export async function withEngineIoOption(
  socketio: NonNullable<ServiceOptions["socketio"]>,
  setup: Setup,
  test: Test,
  options: ServiceOptions = {},
): Promise<void> {
  if (hasEngineIo) return withService({ ...options, socketio }, setup, test);
  const service = createService({ ...QUIET, ...options, socketio });
  await assert.rejects(serve(service), {
    name: "SettingsError",
    message: new RegExp(`^socketio\\.${Object.keys(socketio).join()} is not available on [^:]+: \\w+`),
  });
}

/** Serves a service, runs the test with it, and closes it when the test ends or fails. */
export function withService(options: TestOptions, test: Test): Promise<void>;
/** @param setup adds routes and listeners before the service is served */
export function withService(options: TestOptions, setup: Setup, test: Test): Promise<void>;
export async function withService(
  { tls, ...options }: TestOptions,
  ...steps: [Test] | [Setup, Test]
): Promise<void> {
  const [setup, test] = steps.length === 2 ? steps : [undefined, ...steps];
  const service = createService({ ...QUIET, ...options });
  await setup?.(service);
  const listening = await serve(service, tls ? { tls } : {});
  try {
    await test({ ...listening, service, ws: listening.url.replace(/^http/, "ws") });
  } finally {
    service.io.engine.close(); // ends the sessions that the test left open; otherwise close() waits for them
    await listening.close();
  }
}
