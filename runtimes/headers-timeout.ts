/**
 * Refuses the setting HEADERS_TIMEOUT on a runtime whose server decides by itself how long it waits for headers.
 */
import { DEFAULT_HEADERS_TIMEOUT, type Settings, SettingsError } from "../src/settings.ts";

/** @throws {SettingsError} if the setting has another value than its default */
export function refuseHeadersTimeout({ headersTimeout }: Settings, runtime: string, instead: string): void {
  if (headersTimeout === DEFAULT_HEADERS_TIMEOUT) return;
  throw new SettingsError(`HEADERS_TIMEOUT is not available on ${runtime}: ${instead}`);
}
