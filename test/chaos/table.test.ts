/** The table in the guide, made from the results of the chaos suite. */
import { format } from 'prettier';
import t from 'tap';
import { between, table } from './table.ts';
import type { Results, Row } from './results.ts';

const row = (scenario: string, library: Row['library'], more: Partial<Row> = {}): Row => ({
  scenario,
  library,
  accepted: 10,
  lost: 0,
  extraRuns: 3,
  recoveredMs: [1_234, 1_900],
  broken: [],
  settings: library === 'minq' ? 'lease 15 s' : 'lock 30 s',
  ...more,
});

/** As it comes out of a file: what was waited for in vain is null. */
const results = JSON.parse(
  JSON.stringify({
    seed: 7,
    node: '20.1.0',
    redis: '7.0.1',
    scenarios: [
      row('kill', 'minq'),
      row('kill', 'bullmq', { lost: 2, recoveredMs: [60_000, Infinity] }),
      row('poison', 'minq', { recoveredMs: [] }),
      row('poison', 'bullmq', { failed: 9, recoveredMs: [Infinity] }),
      row('alone', 'minq', { recoveredMs: [50] }),
    ],
  }),
) as Results;

const whats = new Map([['kill', 'a worker is killed']]);

void t.test('a line for each scenario, with what is known of each library', (t) => {
  const lines = table(results, whats).split('\n');
  const cells = lines.slice(2, 5).map((line) => line.split('|').map((cell) => cell.trim()));
  t.same(cells[0]!.slice(1, 4), ['a worker is killed', '0 / 3 / 1.2 - 1.9 s', '2 / 3 / 60.0 s, in vain 1 x']); // prettier-ignore
  t.match(cells[0]![4], /^arq: .*\. Celery: .*\. Sidekiq: /);
  t.same(cells[1]!.slice(1, 4), ['poison', '0 / 3 / -', '0 (9 failed) / 3 / in vain 1 x']);
  t.same(cells[2]!.slice(1), ['alone', '0 / 3 / 0.1 s', '', '', '']);
  t.match(lines.at(-2), 'minq lease 15 s; lock 30 s.');
  t.match(lines.at(-1), 'Node 20.1.0 and Redis 7.0.1, seed 7');
  t.end();
});

void t.test('it goes between its marks, and prettier has nothing to add', async (t) => {
  const readme = `# Title\n\n<!-- chaos:begin -->\n\nold\n\n<!-- chaos:end -->\n\nThe rest.\n`;
  const once = between(readme, table(results, whats));
  t.match(once, /^# Title\n\n<!-- chaos:begin -->\n\n\| What happens/);
  t.match(once, /\n\n<!-- chaos:end -->\n\nThe rest\.\n$/);
  t.notMatch(once, 'old');
  t.equal(between(once, table(results, whats)), once, 'written again it is the same');
  t.equal(await format(once, { parser: 'markdown', printWidth: 100 }), once);
  t.throws(() => between('# Title\n', 'x'), { message: /chaos:begin/ });
});
