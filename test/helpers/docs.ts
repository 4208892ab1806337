/** What is written for users: README and the guides, in the order in which somebody reads them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');

export const GUIDES = [
  'src/job', 'src/queue', 'src/cron', 'src/flow', 'src/worker', 'src/testing', 'src/cli', 'src/dashboard', 'src/redis',
  'test', 'bench',
].map((folder) => `${folder}/GUIDE.md`); // prettier-ignore

export const DOCS = ['README.md', ...GUIDES];

export const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

/** All of it as one text. */
export const docs = (): string => DOCS.map(read).join('\n');
