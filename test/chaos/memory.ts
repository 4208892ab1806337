/** What a process takes of the machine's memory. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Resident set, in bytes. */
export async function rssOf(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) * 1_024;
}
