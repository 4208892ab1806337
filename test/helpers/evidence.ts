/** What worker processes wrote of themselves: a line for each event, appended synchronously, so that it survives SIGKILL. */
import { readFileSync } from 'node:fs';

/** `what id attempt pid at` */
export interface Entry {
  what: string;
  id: string;
  attempt: number;
  pid: number;
  /** Epoch ms. */
  at: number;
}

/** What was written so far, in order. */
export function readEvidence(file: string): Entry[] {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // Nobody has written yet.
  }
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [what, id, attempt, pid, at] = line.split(' ');
      return { what, id, attempt: Number(attempt), pid: Number(pid), at: Number(at) } as Entry;
    });
}
