/** The functions that a storm's workers run. Each leaves evidence of its runs. */
import { currentJob, Fail, job } from '../../../src/index.ts';
import type { Write } from './evidence.ts';

export type Jobs = ReturnType<typeof makeJobs>;

/** @param resultTtl of those whose enqueue says none */
export function makeJobs(write: Write, resultTtl: string) {
  let runs = 0;
  /** Gives the name of the run, or what `give` does. */
  const run = async <T = string>(key: string, ms: number, give?: () => T): Promise<T | string> => {
    const { id, attempt } = currentJob();
    const name = `${process.pid}.${++runs}`;
    write('start', { key, id, attempt, more: name });
    await new Promise((resolve) => setTimeout(resolve, ms));
    try {
      const result = give ? give() : name;
      write('end', { key, id, attempt, more: `${name} ${JSON.stringify(result)}` });
      return result;
    } catch (error) {
      write('fail', { key, id, attempt, more: name });
      throw error;
    }
  };
  const at = (key: string, place: number) => `${key}/${place}`;

  return {
    work: (key: string, ms: number) => run(key, ms),
    flaky: (key: string, ms: number, failures: number) =>
      run(key, ms, () => {
        if (currentJob().attempt <= failures) throw new Error('not yet');
        return 'done';
      }),
    doomed: job({ onFailure: 'mourn' }, (key: string, ms: number) =>
      run(key, ms, () => {
        throw new Fail('never');
      }),
    ),
    mourn: job({ resultTtl }, ({ args: [key] }: { args: [string] }) => run(`${key}/mourn`, 0)),
    begin: (key: string, place: number, ms: number, value: number) =>
      run(at(key, place), ms, () => value),
    next: (before: number, key: string, place: number, ms: number, value: number) =>
      run(at(key, place), ms, () => before + value),
    collect: (all: number[], key: string, place: number) => run(at(key, place), 0, () => all),
    tick: job({ resultTtl }, () => run('tick', 0)),
  };
}
