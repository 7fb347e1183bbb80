/**
 * What is told of many numbers.
 */

const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

export function median(numbers: readonly number[]): number {
  const all = sorted(numbers);
  const middle = all.length >> 1;
  const upper = all[middle] ?? Number.NaN;
  return all.length % 2 === 1 ? upper : ((all[middle - 1] ?? upper) + upper) / 2;
}

/** The least number that so much of all (1 being all) does not exceed. */
export function percentiles(numbers: readonly number[], parts: readonly number[]): number[] {
  const all = sorted(numbers);
  return parts.map((part) => all[Math.max(0, Math.ceil(all.length * part) - 1)] ?? Number.NaN);
}
