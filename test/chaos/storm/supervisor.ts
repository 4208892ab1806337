/** Keeps the processes of a storm going: one that is killed is replaced, one that ends unasked is reported. */
import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { TYPESCRIPT } from '../../helpers/processes.ts';
import { until } from '../../helpers/until.ts';

/** Long enough for a slow machine to load TypeScript. */
const START_MS = 120_000;

interface Slot {
  readonly child: ChildProcess;
  /** Why it may end. */
  fate?: 'killed' | 'asked';
}

export class Supervisor {
  /** Who ended, though nobody asked. */
  readonly deaths: string[] = [];
  readonly #slots = new Map<string, Slot>();
  readonly #execArgv: readonly string[];

  /** @param execArgv more of Node's, for all of them */
  constructor(execArgv: readonly string[] = []) {
    this.#execArgv = execArgv;
    process.on('exit', this.#killAll);
  }

  /** Resolves when it has said that it is ready. */
  async start(name: string, file: string, ...args: string[]): Promise<void> {
    await this.#spawn(name, file, args);
  }

  pid(name: string): number {
    return this.#slots.get(name)!.child.pid!;
  }

  signal(name: string, signal: NodeJS.Signals): void {
    const slot = this.#slots.get(name)!;
    if (signal === 'SIGKILL') slot.fate = 'killed';
    slot.child.kill(signal);
  }

  /** Asks a process to end; it has to do so by itself. */
  ask(name: string): void {
    const slot = this.#slots.get(name)!;
    slot.fate = 'asked';
    if (slot.child.connected) slot.child.send('end');
  }

  ended(name: string): boolean {
    return ended(this.#slots.get(name)!.child);
  }

  /** Waits for one that was asked. @returns whether it did end */
  async wait(name: string, withinMs: number): Promise<boolean> {
    const { child } = this.#slots.get(name)!;
    const byItself = await until(() => ended(child), { timeoutMs: withinMs }).then(
      () => true,
      () => false,
    );
    if (byItself && child.exitCode !== 0) {
      const how = child.signalCode ?? child.exitCode;
      this.deaths.push(`${name} ended with ${how} when asked to end`);
    }
    return byItself;
  }

  /** What is still there is killed. */
  async close(): Promise<void> {
    process.off('exit', this.#killAll);
    this.#killAll();
    await until(() => [...this.#slots.values()].every(({ child }) => ended(child)));
  }

  readonly #killAll = () => {
    for (const slot of this.#slots.values()) {
      slot.fate = 'asked'; // none follows it
      slot.child.kill('SIGKILL');
    }
  };

  #spawn(name: string, file: string, args: readonly string[]): Promise<void> {
    const child = fork(path.join(import.meta.dirname, file), args, {
      execArgv: [TYPESCRIPT, ...this.#execArgv],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const slot: Slot = { child };
    this.#slots.set(name, slot);
    return new Promise((resolve, reject) => {
      const fail = (what: string) => {
        clearTimeout(timer);
        this.deaths.push(what);
        reject(new Error(what));
      };
      const timer = setTimeout(() => fail(`${name} does not start`), START_MS);
      child.once('message', () => {
        clearTimeout(timer);
        resolve();
      });
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        if (slot.fate === 'asked') resolve();
        else if (slot.fate === 'killed') this.#spawn(name, file, args).then(resolve, reject);
        else fail(`${name} (pid ${child.pid}) ended with ${signal ?? code}`);
      });
    });
  }
}

const ended = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;
