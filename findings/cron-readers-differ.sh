#!/usr/bin/env bash
# Five readers of cron make three different things of the same fields. (Node 20; 29 November 2026.) With both days given, a star with a
# step is a star to later, as in Debian's cron, so that both days must fit; to the others it is none, and one that fits is enough. A range of
# all days is a star to cron, cron-schedule and later, and none to croner and cron-parser. A step behind a single number is a
# range to the end to three of them, nothing at all to cron-schedule, and refused by croner.
# Installs pinned packages in a temporary folder; fails if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund cron-parser@5.10.6 cron@4.4.0 cron-schedule@6.0.0 croner@11.0.1 @breejs/later@4.2.0
cat >try.mjs <<'JS'
import later from '@breejs/later';
import { CronTime } from 'cron';
import { CronExpressionParser } from 'cron-parser';
import { parseCronExpression } from 'cron-schedule';
import { Cron } from 'croner';
later.date.UTC();
const from = new Date('2026-05-01T00:00:30Z');
const stepped = (next) => () => { let at = from; return [1, 2, 3].map(() => (at = next(at))); };
const readers = {
  'cron-parser': (text) => { const read = CronExpressionParser.parse(text, { tz: 'UTC', currentDate: from }); return [1, 2, 3].map(() => read.next().toDate()); },
  cron: (text) => stepped((at) => new CronTime(text, 'UTC').getNextDateFrom(at, 'UTC').toJSDate())(),
  'cron-schedule': (text) => stepped((at) => parseCronExpression(text).getNextDate(at))(),
  croner: (text) => new Cron(text, { timezone: 'UTC', paused: true }).nextRuns(3, from),
  later: (text) => later.schedule(later.parse.cron(text)).next(3, from),
};
for (const text of ['0 0 */2 * 1', '0 0 1-31 * 1', '5/15 * * * *']) {
  for (const [name, read] of Object.entries(readers)) {
    let says;
    try { says = read(text).map((at) => at.toISOString().slice(5, 16)).join(', '); } catch { says = 'refused'; }
    console.log(`${text.padEnd(13)} ${name.padEnd(14)} ${says}`);
  }
}
JS
seen=$(TZ=UTC node try.mjs)
echo "node $(node --version), cron-parser@5.10.6 cron@4.4.0 cron-schedule@6.0.0 croner@11.0.1 @breejs/later@4.2.0"
echo "$seen"
# The output seen:
diff <(echo "$seen") - <<'SEEN'
0 0 */2 * 1   cron-parser    05-03T00:00, 05-04T00:00, 05-05T00:00
0 0 */2 * 1   cron           05-03T00:00, 05-04T00:00, 05-05T00:00
0 0 */2 * 1   cron-schedule  05-03T00:00, 05-04T00:00, 05-05T00:00
0 0 */2 * 1   croner         05-03T00:00, 05-04T00:00, 05-05T00:00
0 0 */2 * 1   later          05-11T00:00, 05-25T00:00, 06-01T00:00
0 0 1-31 * 1  cron-parser    05-02T00:00, 05-03T00:00, 05-04T00:00
0 0 1-31 * 1  cron           05-04T00:00, 05-11T00:00, 05-18T00:00
0 0 1-31 * 1  cron-schedule  05-04T00:00, 05-11T00:00, 05-18T00:00
0 0 1-31 * 1  croner         05-02T00:00, 05-03T00:00, 05-04T00:00
0 0 1-31 * 1  later          05-04T00:00, 05-11T00:00, 05-18T00:00
5/15 * * * *  cron-parser    05-01T00:05, 05-01T00:20, 05-01T00:35
5/15 * * * *  cron           05-01T00:05, 05-01T00:20, 05-01T00:35
5/15 * * * *  cron-schedule  05-01T00:05, 05-01T01:05, 05-01T02:05
5/15 * * * *  croner         refused
5/15 * * * *  later          05-01T00:05, 05-01T00:20, 05-01T00:35
SEEN
