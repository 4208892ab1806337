/** Cron patterns in words: true of each tick, or nothing is said. */
import t from 'tap';
import { cronWords } from '../../src/dashboard/page/words.ts';

const WORDS: [pattern: string, words: string | undefined][] = [
  ['* * * * *', 'every minute'],
  ['*/15 * * * *', 'every 15 minutes'],
  ['5 * * * *', 'every hour at :05'],
  ['0,30 * * * *', 'every hour at :00, :30'],
  ['0 */2 * * *', 'every 2 hours at :00'],
  ['30 2 * * *', 'at 02:30'],
  ['0 8,20 * * *', 'at 08:00, 20:00'],
  ['30 2 * * 1-5', 'at 02:30 on Monday to Friday'],
  ['0 0 * * 7', 'at 00:00 on Sunday'],
  ['0 0 * * sun,WED', 'at 00:00 on Sunday, Wednesday'],
  ['0 6 1 * *', 'at 06:00 on day 1 of the month'],
  ['0 6 1,15 * *', 'at 06:00 on day 1, 15 of the month'],
  ['0 6 1 1 *', 'at 06:00 on day 1 of the month in January'],
  ['0 6 * 6-8 1', 'at 06:00 on Monday in June to August'],
  ['0 0 1 * 1', 'at 00:00 on day 1 of the month and on Monday'],
  ['@daily', 'at 00:00'],
  ['@weekly', 'at 00:00 on Sunday'],
  ['0 0 L * *', undefined],
  ['0 0 */2 * 1', undefined],
  ['* * * * * *', undefined],
  ['10-20 * * * *', undefined],
  ['* 5 * * *', undefined],
  ['', undefined],
];

void t.test('what people write most has words, the rest none', async (t) => {
  for (const [pattern, words] of WORDS) t.equal(cronWords(pattern), words, pattern);
});
