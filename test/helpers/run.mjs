/**
 * `npm test` and `npm run test:long`: each file in a process of its own, a few at once. It is tap that runs them; but its
 * command would load four loaders into each process, for coverage, mocks and types: 1.5 s of CPU for each of a hundred files.
 *
 * Usage: node test/helpers/run.mjs [--long] [--jobs n] [file...]
 */
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import t from 'tap';
import Report from './report.mjs';

/** A file may take; after that its process is ended. */
const LONGEST_S = 240;
const TYPESCRIPT = '--import=./test/helpers/typescript.mjs';

const { values, positionals } = parseArgs({
  options: { long: { type: 'boolean' }, jobs: { type: 'string', default: '3' } },
  allowPositionals: true,
});
const isWanted = (file) =>
  file.endsWith('.test.ts') &&
  file.endsWith('.long.test.ts') === Boolean(values.long) &&
  !file.startsWith('fixtures');
const all = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter(isWanted);
const files = positionals.length > 0 ? positionals : all.map((file) => `test/${file}`);

t.jobs = Number(values.jobs);
t.setTimeout(0); // of a file, not of all
t.pipe(new Report()).pipe(process.stdout);
const options = () => ({
  buffered: true,
  timeout: LONGEST_S * 1_000,
  env: { ...process.env, TAP_TIMEOUT: String(LONGEST_S) },
});
await Promise.all(
  files.map((file) => t.spawn(process.execPath, [TYPESCRIPT, file], options(), file)),
);
t.end();
process.exitCode = t.passing() ? 0 : 1;
