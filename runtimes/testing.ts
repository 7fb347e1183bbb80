/**
 * `hinoko/testing`: serves a service for a test, in memory or on a port, on every runtime.
 */
import { getRuntimeKey } from "hono/adapter";
import { defineTestService, type TestServe } from "../src/testing/service.ts";
import { findLauncher, launchers } from "./launchers.ts";

export type { ConnectOptions, Payload, TestClient } from "../src/testing/client.ts";
export type { ReceivedEvent } from "../src/testing/inbox.ts";
export { ConnectError } from "../src/testing/refusal.ts";
export type {
  TestAppOptions,
  TestOptions,
  TestRequest,
  TestServe,
  TestService,
} from "../src/testing/service.ts";
export type { TransportName } from "../src/testing/transports.ts";

/**
 * Serves a service, or an app, for a test: in memory, or on a port with the launcher of the runtime at hand.
 * `await using t = await testService(app)` closes it at the end of the test, with everything that is connected.
 */
export const testService: TestServe = defineTestService(async () => {
  const key = findLauncher();
  if (!key) throw new TypeError(`The runtime must be node, bun or deno (got "${getRuntimeKey()}")`);
  return (await launchers[key]()).serve;
});
