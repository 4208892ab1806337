/** `minq stats`: how the queues stand, once or every second. */
import { columns, print, printJson } from './terminal.ts';
import type { Command } from './command.ts';
import { live } from './live.ts';
import { describe, readOverview, type Overview } from './overview.ts';
import { namedQueues, storesOf, withConnection } from './redis.ts';

/** A frozen Redis is to be told of soon. */
const WATCH_TIMEOUT_MS = 2_000;
const CALL_TIMEOUT_MS = 5_000;

export const stats: Command = {
  help: `Usage: minq stats [options]

Shows of each queue how many jobs are in each state, how long the oldest waits, how busy the workers are, what
happened in the last minute and hour, and how long the runs of each function waited and took (of the last hour or two).

  --queue name       a queue; may be repeated (default: all that workers have worked on)
  --watch            show it again every second, until Ctrl-C
  --json             print JSON: { at, queues }; with --watch, such a line every second
`,
  options: { queue: { type: 'string', multiple: true }, watch: { type: 'boolean' } },
  positionals: [0, 0],
  async run(values) {
    const named = namedQueues(values);
    const json = values['json'] === true;
    const watch = values['watch'] === true;
    return withConnection(watch ? WATCH_TIMEOUT_MS : CALL_TIMEOUT_MS, async (connection) => {
      const read = async () => {
        const stores = await storesOf(connection, named);
        const [at, ...queues] = await Promise.all([
          stores[0]!.now(),
          ...stores.map((store) => readOverview(store)),
        ]);
        return { at, queues };
      };
      const draw = ({ queues }: { queues: Overview[] }) =>
        queues.flatMap((each, i) => [...(i > 0 ? [''] : []), ...describe(each, columns())]);
      if (watch) return live(read, draw, json);
      const found = await read();
      if (json) printJson(found);
      else print(...draw(found));
      return 0;
    });
  },
};
