/** `npm run chaos` as a process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import t from 'tap';
import { TYPESCRIPT } from '../helpers/processes.ts';

async function chaos(...args: string[]) {
  const child = spawn(process.execPath, [TYPESCRIPT, 'test/chaos/run.ts', ...args], {
    cwd: path.join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGTERM'));
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}

void t.test('wrong usage: one clear line, exit code 2, and nothing is started', async (t) => {
  const { code, out, err } = await chaos('--scenario', 'nope');
  t.equal(code, 2);
  t.match(err, /^chaos: --scenario: there is no nope; there are [^\n]+\n$/);
  t.equal(out, '');
});

void t.test('--help says all there is, and exits with 0', async (t) => {
  const { code, out } = await chaos('--help');
  t.equal(code, 0);
  const options = 'scenario storm seconds soak mutants seed full libs json'.split(' ');
  for (const name of options) t.match(out, `--${name}`);
});

void t.test('--json: what was found out, and nothing else, on standard output', async (t) => {
  const { code, out, err } = await chaos('--storm', '--seconds', '2', '--seed', '7', '--json');
  t.equal(code, 0, err);
  t.match(err, 'seed 7', 'the seed is always said');
  t.match(JSON.parse(out), {
    seed: 7,
    node: process.versions.node,
    redis: /^\d+\.\d+/,
    scenarios: [],
    storm: { seed: 7, seconds: 2, accepted: Number, lost: [], unexpected: [], broken: [] },
  });
});
