/** A process that measures one library in one scenario, a round whenever it is asked to. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Measurement } from './measure.ts';
import type { Options } from './options.ts';

/** No round takes nearly as long, nor does the warm-up; one that does is stuck. */
const LONGEST_MS = 60_000;

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
    const { warmUpMs, roundMs, profile } = options;
    const args = [library, scenario, url, String(warmUpMs), String(roundMs)];
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
    child.stderr!.on('data', (chunk: Buffer) => (this.#complaints += chunk.toString()));
  }

  round(): Promise<Measurement> {
    this.#child.send('round');
    return this.#hear() as Promise<Measurement>;
  }

  /** Its next message. Rejects when it ends instead, or is stuck. */
  async #hear(): Promise<unknown> {
    const done = new AbortController();
    const signal = AbortSignal.any([done.signal, AbortSignal.timeout(LONGEST_MS)]);
    const ended = async () => {
      const [code, by] = (await once(this.#child, 'exit', { signal })) as [number, string];
      throw new Error(`${this.#who} ended with ${by ?? code}\n${this.#complaints}`);
    };
    try {
      const [message] = (await Promise.race([
        once(this.#child, 'message', { signal }),
        ended(),
      ])) as [unknown];
      return message;
    } finally {
      done.abort();
    }
  }

  /** It closes everything and ends by itself; it is killed if it doesn't. */
  async end(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await exit;
    clearTimeout(late);
  }

  get #who(): string {
    return `${this.library} ${this.#scenario}`;
  }
}
