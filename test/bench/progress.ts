/**
 * How far the benchmark is: a line that is rewritten in place, or where there is no terminal, one for each scenario.
 */
import process from "node:process";

const { stderr } = process;

const clock = (milliseconds: number): string => {
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

export class Progress {
  readonly #start = performance.now();
  readonly #steps: number;
  #done = 0;
  #scenario = "";

  /** @param steps how many rounds of contenders there are to be in all */
  constructor(steps: number) {
    this.#steps = steps;
  }

  /** @param place the scenario's number of all, as "3/14" */
  begin(scenario: string, place: string, contenders: number): void {
    this.#scenario = `${place} ${scenario}`;
    if (!stderr.isTTY) this.say(`${this.#scenario}: ${contenders} contenders, ${this.#times()}`);
  }

  step(what: string, contender: string): void {
    if (stderr.isTTY) {
      const line = `${this.#scenario}: ${what}, ${contender}, ${this.#times()}`;
      stderr.write(`\r\x1b[K${line.slice(0, stderr.columns - 1)}`);
    }
    this.#done++;
  }

  /** A line that stays. */
  say(line: string): void {
    this.clear();
    stderr.write(`${line}\n`);
  }

  clear(): void {
    if (stderr.isTTY) stderr.write("\r\x1b[K");
  }

  /** Steps that were skipped, as those of a contender that was left out. */
  skip(steps: number): void {
    this.#done += steps;
  }

  #times(): string {
    const elapsed = performance.now() - this.#start;
    const left = (elapsed / this.#done) * Math.max(0, this.#steps - this.#done);
    return `${clock(elapsed)} elapsed${this.#done > 0 ? `, about ${clock(left)} left` : ""}`;
  }
}
