/**
 * The error for a setting that cannot be used.
 */

/** Thrown for a setting that cannot be used. The message names the setting, its value and the form expected. */
export class SettingsError extends Error {
  override name = "SettingsError";
}

/** Makes the error for a value of the wrong form: `PORT must be a number between 0 and 65535 (got "80a")`. */
export const createSettingError = (name: string, form: string, value: unknown): SettingsError =>
  new SettingsError(
    `${name} must be ${form} (got ${typeof value === "string" ? `"${value}"` : String(value)})`,
  );
