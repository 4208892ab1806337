#!/usr/bin/env bash
# cron-parser 5.10.6 (Node 20): a pattern with too few fields is none it refuses. What is there are the last fields, what is missing is a
# star (of seconds 0): so an empty text is every minute, and '5' is every minute of each Friday, not minute 5. A variable that isn't set
# becomes a job that runs each minute. cron 4.4.0 refuses all of them.
# Installs pinned packages in a temporary folder; fails if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund cron-parser@5.10.6 cron@4.4.0
cat >try.mjs <<'JS'
import { CronTime } from 'cron';
import { CronExpressionParser } from 'cron-parser';
for (const text of ['', '5', '2 5', '15 * *']) {
  let other = 'taken';
  try { new CronTime(text, 'UTC'); } catch (error) { other = error.message; }
  console.log(JSON.stringify(text), '->', CronExpressionParser.parse(text, { tz: 'UTC' }).stringify(true), '| cron:', other);
}
JS
seen=$(TZ=UTC node try.mjs)
echo "node $(node --version), cron-parser@5.10.6 cron@4.4.0"
echo "$seen"
# The output seen:
diff <(echo "$seen") - <<'SEEN'
"" -> 0 * * * * * | cron: Too few fields
"5" -> 0 * * * * 5 | cron: Too few fields
"2 5" -> 0 * * * 2 5 | cron: Too few fields
"15 * *" -> 0 * * 15 * * | cron: Too few fields
SEEN
