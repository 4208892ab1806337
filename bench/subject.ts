/** A process that measures one library in one scenario, a round whenever it is asked to. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Measurement } from './measurement.ts';
import type { Options } from './options.ts';

/** No round takes nearly as long, nor does the warm-up, with a backlog of a million neither; one that does is stuck. */
const LONGEST_MS = 240_000;

export class Subject {
  readonly library: string;
  readonly #scenario: string;
  readonly #child: ChildProcess;
  /** Heard only if it fails: some libraries warn of their own doings. */
  #complaints = '';

  /** Resolves when it has warmed up. Aborting `stop` kills it. */
  static async start(
    library: string,
    scenario: string,
    url: string,
    options: Options,
    stop: AbortSignal,
  ): Promise<Subject> {
    const { warmUpMs, roundMs, quick, profile } = options;
    const args = [library, scenario, url, String(warmUpMs), String(roundMs)];
    args.push(quick ? 'quick' : 'full');
    if (profile) args.push(path.join(profile, `${scenario}-${library}.cpuprofile`));
    const child = fork(path.join(import.meta.dirname, 'measure.ts'), args, {
      signal: stop,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const subject = new Subject(library, scenario, child);
    await subject.#hear();
    return subject;
  }

  constructor(library: string, scenario: string, child: ChildProcess) {
    this.library = library;
    this.#scenario = scenario;
    this.#child = child;
    // Of a child that is being heard, an abort rejects what waits for it; of the others it is no news.
    child.on('error', () => {});
    child.stderr!.on('data', (chunk: Buffer) => (this.#complaints += chunk.toString()));
  }

  round(): Promise<Measurement> {
    this.#child.send('round');
    return this.#hear() as Promise<Measurement>;
  }

  /** Its next message. Rejects when it ends instead; it is killed when it is stuck. */
  async #hear(): Promise<unknown> {
    const heard = new AbortController();
    const stuck = setTimeout(() => this.#child.kill('SIGKILL'), LONGEST_MS);
    const ended = async () => {
      const [code, by] = (await once(this.#child, 'exit', heard)) as [number, string | null];
      throw new Error(
        `${this.library} ${this.#scenario} ended with ${by ?? code}\n${this.#complaints}`,
      );
    };
    try {
      const message = once(this.#child, 'message', heard);
      return ((await Promise.race([message, ended()])) as [unknown])[0];
    } finally {
      clearTimeout(stuck);
      heard.abort();
    }
  }

  /** It closes everything and ends by itself; it is killed if it doesn't. */
  async end(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 30_000);
    await exit;
    clearTimeout(late);
  }
}
