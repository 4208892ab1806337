/** `minq errors`: what fails, by kind of error. */
import { UNREADABLE } from '../job/codec.ts';
import { ofEach } from '../views/each.ts';
import { jobsOf, number, span } from '../views/figures.ts';
import { readFailures } from '../views/failures.ts';
import { json, QUEUES, type Command } from './command.ts';
import { CALL_TIMEOUT_MS, withStores } from './redis.ts';
import { quoted, show, table } from './terminal.ts';

export const errors: Command = {
  help: `Usage: minq errors [options]

Shows what fails, the most frequent first: failed jobs that are kept (of a queue the last 10,000), by function and
kind of error, which is the error without numbers, ids, addresses and quoted text; and how to run a kind again.

  --limit n          how many kinds to show (default 20)
${QUEUES}${json('{ at, kinds: [{ queue, fn, kind, count, firstAt, lastAt, example }], looked, caused }')}`,
  async run(given) {
    const limit = given.number('limit') ?? 20;
    return withStores(given, CALL_TIMEOUT_MS, async (stores) => {
      const all = await stores();
      const found = await ofEach(all, readFailures);
      const at = await all[0]!.now();
      const groups = found.flatMap((each) => each.groups).sort((a, b) => b.count - a.count);
      const sum = (of: 'looked' | 'caused') => found.reduce((total, each) => total + each[of], 0);
      const [looked, caused] = [sum('looked'), sum('caused')];
      const kinds = groups.slice(0, limit);
      return show(given, { at, kinds, looked, caused }, () => {
        const rows = kinds.map(({ queue, fn = UNREADABLE, kind, count, firstAt, lastAt }) => [
          number(count),
          `${span(at - lastAt)} ago`,
          `${span(at - firstAt)} ago`,
          queue,
          fn,
          kind,
        ]);
        const heads = ['COUNT', 'LAST', 'FIRST', 'QUEUE', 'FUNCTION', 'ERROR'];
        const [first] = kinds;
        return [
          ...table(heads, rows, ['QUEUE', 'FUNCTION', 'ERROR'], {
            bad: ['COUNT', 'ERROR'],
            less: ['FIRST', 'QUEUE'],
          }),
          ...(first ? [''] : []),
          `${jobsOf(looked, 'failed')}, ${groups.length} ${groups.length === 1 ? 'kind' : 'kinds'} of error` +
            (caused > 0
              ? `; ${number(caused)} are steps that failed only because another did`
              : ''),
          ...(first?.fn === undefined
            ? []
            : [
                `run the first again: minq retry --all --queue ${quoted(first.queue)} --fn ${quoted(first.fn)} --kind ${quoted(first.kind)}`,
              ]),
        ];
      });
    });
  },
};
