/**
 * Settings as authors may give them, and their refusal.
 */
import assert from "node:assert/strict";
import { type ServiceOptions, SettingsError } from "../../src/index.ts";

/** Options as plain JavaScript may pass them, without type checks. */
export const untyped = (...entries: (readonly unknown[])[]): ServiceOptions => Object.fromEntries(entries);

/** Makes a map from each of some words to the same value. */
export const all = <Value>(values: string, expected: Value) =>
  Object.fromEntries(values.split(" ").map((value) => [value, expected]));

/** Expects a SettingsError with exactly this message. */
export const refuses = (read: () => unknown, message: string) =>
  assert.throws(read, (error) => {
    assert.ok(error instanceof SettingsError);
    assert.deepEqual([error.name, error.message], ["SettingsError", message]);
    return true;
  });
