/**
 * The comparison: contenders take turns within each scenario, and those that cannot take part are left out.
 */
import process from "node:process";
import type { Contender } from "./contenders.ts";
import type { Progress } from "./progress.ts";
import type { Result } from "./report.ts";
import type { Scenario, Trial } from "./scenario.ts";
import { ServerProcess } from "./server-process.ts";

export interface Plan {
  /** Milliseconds that a measurement takes, about. */
  readonly duration: number;
  /** Rounds of a scenario. */
  rounds(scenario: Scenario): number;
}

/** How often a server that stays is measured for nothing at first, until its code is compiled. */
const WARM_UPS = 2;

/** How long a server may take to be ready for a scenario, or to be measured, in milliseconds. */
const PATIENCE = 60_000;

/** How many steps of progress a contender is in a scenario. */
export const stepsOf = (scenario: Scenario, plan: Plan): number =>
  plan.rounds(scenario) + (scenario.isFresh ? 0 : WARM_UPS);

interface Place {
  readonly server: ServerProcess;
  readonly trial: Trial;
}

async function place(scenario: Scenario, contender: Contender): Promise<Place> {
  const server = await ServerProcess.start(contender);
  try {
    return { server, trial: await server.whileAlive(scenario.open(server), PATIENCE) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** The server ends first: a closing handshake that it fails to answer would hold everything up. */
async function leave({ server, trial }: Place): Promise<void> {
  await server.stop();
  await trial.close();
}

/** What a round took of the load generator's core, 1 being all of it. */
async function measure({ server, trial }: Place, duration: number) {
  const [usage, start] = [process.cpuUsage(), performance.now()];
  const figures = await server.whileAlive(trial.measure(duration), PATIENCE);
  const { user, system } = process.cpuUsage(usage);
  return { figures, load: (user + system) / 1000 / (performance.now() - start) };
}

export interface Comparison {
  readonly results: Result[];
  /** Lines about contenders that could not take part. */
  readonly leftOut: string[];
}

export async function compare(
  scenario: Scenario,
  taking: readonly Contender[],
  plan: Plan,
  progress: Progress,
): Promise<Comparison> {
  const taken = new Map(
    taking.map((contender): [Contender, Result] => [
      contender,
      { scenario, contender, samples: [], loads: [] },
    ]),
  );
  const places = new Map<Contender, Place>();
  const leftOut: string[] = [];
  let stepsLeft = stepsOf(scenario, plan);

  /** Has every contender that is still there do something; who fails is left out from then on. */
  const each = async (what: string, act: (contender: Contender, result: Result) => Promise<void>) => {
    stepsLeft--;
    for (const [contender, result] of taken) {
      progress.step(what, contender.name);
      try {
        await act(contender, result);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        leftOut.push(`${contender.name} is left out of ${scenario.name}: ${reason}`);
        progress.say(leftOut.at(-1) ?? "");
        progress.skip(stepsLeft);
        taken.delete(contender);
        const here = places.get(contender);
        places.delete(contender);
        await here?.server.stop();
      }
    }
  };

  if (!scenario.isFresh) {
    stepsLeft -= WARM_UPS - 1;
    await each("warming up", async (contender) => {
      const here = await place(scenario, contender);
      places.set(contender, here);
      for (let n = 0; n < WARM_UPS; n++) await measure(here, plan.duration);
      progress.skip(WARM_UPS - 1);
    });
  }
  const rounds = plan.rounds(scenario);
  for (let round = 1; round <= rounds; round++) {
    await each(`round ${round}/${rounds}`, async (contender, { samples, loads }) => {
      const here = places.get(contender) ?? (await place(scenario, contender));
      try {
        const { figures, load } = await measure(here, plan.duration);
        samples.push(figures);
        loads.push(load);
      } finally {
        if (scenario.isFresh) await leave(here);
      }
    });
  }
  for (const here of places.values()) await leave(here);
  progress.clear();
  return { results: [...taken.values()], leftOut };
}
