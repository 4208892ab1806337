/** What worker processes wrote of themselves: a line for each event, appended synchronously, so that it survives SIGKILL. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** `what id attempt pid at` */
export interface Entry {
  what: string;
  id: string;
  attempt: number;
  pid: number;
  /** Epoch ms. */
  at: number;
}

/** What was written so far, in order. Each call of the function given back reads only what has come since. */
export function follow(file: string): () => readonly Entry[] {
  const entries: Entry[] = [];
  let position = 0;
  return () => {
    const text = readFrom(file, position);
    const whole = text.slice(0, text.lastIndexOf('\n') + 1); // a line may be on its way
    position += Buffer.byteLength(whole);
    for (const line of whole.split('\n').filter(Boolean)) {
      const [what, id, attempt, pid, at] = line.split(' ') as [string, string, string, string, string]; // prettier-ignore
      entries.push({ what, id, attempt: Number(attempt), pid: Number(pid), at: Number(at) });
    }
    return entries;
  };
}

function readFrom(file: string, position: number): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    return ''; // nobody has written yet
  }
  try {
    const buffer = Buffer.alloc(fstatSync(descriptor).size - position);
    return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, buffer.length, position));
  } finally {
    closeSync(descriptor);
  }
}
