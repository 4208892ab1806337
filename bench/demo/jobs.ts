/** The demo's jobs file. It is a module like any other: each function it exports is a job. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { currentJob, Fail, job } from 'minq';
import { isText } from './files.ts';

export interface Digest {
  file: string;
  bytes: number;
  words: number;
  sha256: string;
  gzipped: number;
}

/**
 * Reads a text file, counts its words, hashes and compresses it.
 * @param failures so many of the first attempts fail, to show what a retry does
 */
export const digest = job(
  { retries: 2, backoff: '200ms', timeout: '30s' },
  async (file: string, failures = 0): Promise<Digest> => {
    const { attempt, signal } = currentJob();
    if (attempt <= failures) throw new Error(`attempt ${attempt} fails on purpose`);

    const content = await readFile(file, { signal }); // a file that is missing may be there at a retry
    if (!isText(content)) throw new Fail('this is no text file'); // what no retry can mend ends at once
    const gzipped = await promisify(gzip)(content);
    return {
      file,
      bytes: content.length,
      words: content.toString().match(/\S+/g)?.length ?? 0,
      sha256: createHash('sha256').update(content).digest('hex'),
      gzipped: gzipped.length,
    };
  },
);
