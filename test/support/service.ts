/**
 * A real server on a free port, for the length of one test.
 */
import {
  createService,
  type Listening,
  type ServeOptions,
  type Service,
  type ServiceOptions,
} from "../../src/index.ts";
import { serve } from "./runtime.ts";

/** Swallows what a test provokes. */
export const silent = { info() {}, warn() {}, error() {} };

export interface Served extends Listening {
  readonly service: Service;
  /** The address with "ws:" in place of "http:". */
  readonly ws: string;
}

/** Serves a service that `setup` has completed, runs the test with it, and closes it whatever happens. */
export async function withService(
  options: ServiceOptions,
  setup: (service: Service) => void | Promise<void>,
  test: (served: Served) => Promise<void>,
  serveOptions: ServeOptions = {},
): Promise<void> {
  const service = createService({ logger: silent, chat: false, host: "127.0.0.1", port: 0, ...options });
  await setup(service);
  const listening = await serve(service, serveOptions);
  try {
    await test({ ...listening, service, ws: listening.url.replace(/^http/, "ws") });
  } finally {
    service.io.engine.close(); // cuts off the sessions that the test has left open, which close() would wait for
    await listening.close();
  }
}
