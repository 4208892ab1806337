/** This process among others: which of a supervisor's it is, and who asks it to end. */
import { performance, setInterval, clearInterval } from '../job/globals.ts';
import { SIGNALS } from './command.ts';

/** The environment of a supervised process has its number here, from 1. */
export const SUPERVISED = 'MINQ_SUPERVISED';
/** Within this time the same signal again is the same wish: a terminal, a service manager and npm may each pass it on. */
const SAME_MS = 1_000;
const LOOK_MS = 400;

const supervised = process.send ? Number(process.env[SUPERVISED] ?? 0) : 0;
delete process.env[SUPERVISED]; // what jobs start isn't ours
/** Of whatever npm, npx and their like start. */
const parent = process.env['npm_config_user_agent'] === undefined ? undefined : process.ppid;

export const insideSupervisor = (): boolean => supervised > 0;

/** Which of the supervisor's processes this one is, from 0; the same for its successors. 0 without a supervisor. */
export const processIndex = (): number => Math.max(0, supervised - 1);

const FILES = 'minq:files';

/** What a supervised process says may come from the jobs file, too: it is for whoever else listens. */
export function filesIn(message: unknown): string[] | undefined {
  const files = (message as Record<string, unknown> | null)?.[FILES];
  return Array.isArray(files) ? files.filter((file) => typeof file === 'string') : undefined;
}

/** Tells the supervisor which files to watch. */
export function sendFiles(files: string[]): void {
  if (insideSupervisor() && process.connected) process.send!({ [FILES]: files });
}

/**
 * Calls `stop` when this process is asked to end, and again when it is asked once more. Under a supervisor, who passes on
 * what it hears, signals don't count: a service manager sends them to all of us. That whoever started us is gone counts
 * when nobody has asked before; npm and npx end at SIGTERM and may tell nobody.
 * @returns what ends it
 */
export function whenAskedToStop(stop: (reason: string) => void): () => void {
  let asked = false;
  const countedAt = new Map<string, number>();
  const ask = (reason: string) => {
    asked = true;
    stop(reason);
  };
  const onSignal = (signal: string) => {
    if (insideSupervisor() && process.connected) return;
    const now = performance.now();
    if (now - (countedAt.get(signal) ?? -Infinity) < SAME_MS) return;
    countedAt.set(signal, now);
    ask(signal);
  };
  const onGone = () => {
    if (!asked) ask('whoever started it is gone');
  };
  const look = () => {
    if (parent !== undefined && process.ppid !== parent) onGone();
  };
  const looking = insideSupervisor() ? undefined : setInterval(look, LOOK_MS).unref();
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on('disconnect', onGone);
  if (insideSupervisor()) process.on('message', ask);
  return () => {
    clearInterval(looking);
    for (const signal of SIGNALS) process.off(signal, onSignal);
    process.off('disconnect', onGone).off('message', ask);
  };
}
