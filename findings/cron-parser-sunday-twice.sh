#!/usr/bin/env bash
# cron-parser 5.10.6 (Node 20): 0 and 7 are both Sunday, and each may stand alone; a list that names both is refused as a duplicate, which
# no other value of a list is told of in that way: crontabs that were written for both kinds of cron have such lists.
# Installs pinned packages in a temporary folder; fails if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund cron-parser@5.10.6 croner@11.0.1
cat >try.mjs <<'JS'
import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';
const from = new Date('2026-05-01T00:00:00Z');
for (const text of ['0 0 * * 0', '0 0 * * 7', '0 0 * * 0,7']) {
  let says;
  try { says = CronExpressionParser.parse(text, { tz: 'UTC', currentDate: from }).next().toISOString(); } catch (error) { says = error.message; }
  console.log(`${text}: cron-parser ${says}; croner ${new Cron(text, { timezone: 'UTC', paused: true }).nextRun(from).toISOString()}`);
}
JS
seen=$(TZ=UTC node try.mjs)
echo "node $(node --version), cron-parser@5.10.6 croner@11.0.1"
echo "$seen"
# The output seen:
diff <(echo "$seen") - <<'SEEN'
0 0 * * 0: cron-parser 2026-05-03T00:00:00.000Z; croner 2026-05-03T00:00:00.000Z
0 0 * * 7: cron-parser 2026-05-03T00:00:00.000Z; croner 2026-05-03T00:00:00.000Z
0 0 * * 0,7: cron-parser CronDayOfWeek Validation error, duplicate values found: 0; croner 2026-05-03T00:00:00.000Z
SEEN
