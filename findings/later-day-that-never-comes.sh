#!/usr/bin/env bash
# @breejs/later 4.2.0 (Node 20): a date that no year has, 30 February, falls due on 1 March, but only every 500 years; a minute 60 is minute
# 59. cron-parser refuses both, croner the minute, and says of the date that it never comes.
# Installs pinned packages in a temporary folder; fails if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @breejs/later@4.2.0 croner@11.0.1 cron-parser@5.10.6
cat >try.mjs <<'JS'
import later from '@breejs/later';
import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';
later.date.UTC();
const from = new Date('2026-05-03T12:00:00Z');
const or = (read) => { try { return read(); } catch { return 'refused'; } };
for (const text of ['0 0 30 2 *', '60 * * * *']) {
  console.log(`${text}: later ${later.schedule(later.parse.cron(text)).next(2, from).map((at) => at.toISOString().slice(0, 16)).join(', ')}`);
  console.log(`${text}: croner ${or(() => String(new Cron(text, { timezone: 'UTC', paused: true }).nextRun(from)))}`);
  console.log(`${text}: cron-parser ${or(() => CronExpressionParser.parse(text, { tz: 'UTC', currentDate: from }).next().toISOString())}`);
}
JS
seen=$(TZ=UTC node try.mjs)
echo "node $(node --version), @breejs/later@4.2.0 croner@11.0.1 cron-parser@5.10.6"
echo "$seen"
# The output seen:
diff <(echo "$seen") - <<'SEEN'
0 0 30 2 *: later 2526-03-01T00:00, 3026-03-01T00:00
0 0 30 2 *: croner null
0 0 30 2 *: cron-parser refused
60 * * * *: later 2026-05-03T12:59, 2026-05-03T13:59
60 * * * *: croner refused
60 * * * *: cron-parser refused
SEEN
