#!/usr/bin/env bash
# What is due at 02:30 on the morning on which the clock goes from 02:00 to 03:00, and what runs every second hour of that night: three readers of
# cron, three answers. (Node 20; Europe/Berlin, 29 March 2026; UTC is told.) cron-parser moves the minute along, to 03:30; cron and croner run
# at 03:00. cron-parser and cron add a run at 03:00 for the hour 2 that was left out; croner leaves it out.
# Installs pinned packages in a temporary folder; fails if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund cron-parser@5.10.6 cron@4.4.0 croner@11.0.1
cat >try.mjs <<'JS'
import { CronTime } from 'cron';
import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';
const tz = 'Europe/Berlin';
const shown = (dates) => dates.map((at) => at.toISOString().slice(5, 16)).join(', ');
for (const [text, hour] of [['30 2 * * *', '2026-03-28T10:00:00Z'], ['0 */2 * * *', '2026-03-28T22:30:00Z'], ['*/15 2 * * *', '2026-03-28T10:00:00Z']]) {
  const from = new Date(hour);
  const read = CronExpressionParser.parse(text, { tz, currentDate: from });
  console.log(`${text}: cron-parser ${shown([1, 2, 3].map(() => read.next().toDate()))}`);
  let at = from;
  console.log(`${text}: cron ${shown([1, 2, 3].map(() => (at = new CronTime(text, tz).getNextDateFrom(at, tz).toJSDate())))}`);
  console.log(`${text}: croner ${shown(new Cron(text, { timezone: tz, paused: true }).nextRuns(3, from))}`);
}
JS
seen=$(TZ=UTC node try.mjs)
echo "node $(node --version), cron-parser@5.10.6 cron@4.4.0 croner@11.0.1"
echo "$seen"
# The output seen:
diff <(echo "$seen") - <<'SEEN'
30 2 * * *: cron-parser 03-29T01:30, 03-30T00:30, 03-31T00:30
30 2 * * *: cron 03-29T01:00, 03-30T00:30, 03-31T00:30
30 2 * * *: croner 03-29T01:00, 03-30T00:30, 03-31T00:30
0 */2 * * *: cron-parser 03-28T23:00, 03-29T01:00, 03-29T02:00
0 */2 * * *: cron 03-28T23:00, 03-29T01:00, 03-29T02:00
0 */2 * * *: croner 03-28T23:00, 03-29T02:00, 03-29T04:00
*/15 2 * * *: cron-parser 03-29T01:00, 03-29T01:15, 03-29T01:30
*/15 2 * * *: cron 03-29T01:00, 03-30T00:00, 03-30T00:15
*/15 2 * * *: croner 03-30T00:00, 03-30T00:15, 03-30T00:30
SEEN
