#!/usr/bin/env bash
# cron-schedule 6.0.0 (Node 20): of a field it reads the number at its beginning, and what stands behind it is left out without a word.
# So 'MON#2' is refused, but '1#2' (the second Monday) is every Monday, '15W' the 15th, '5/15' minute 5, '9-17/2h' hour 9 only.
# Installs pinned packages in a temporary folder; fails if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund cron-schedule@6.0.0
cat >try.mjs <<'JS'
import { parseCronExpression } from 'cron-schedule';
for (const text of ['0 0 * * MON#2', '0 0 * * 1#2', '0 0 15W * *', '5/15 * * * *', '5x * * * *', '0 9-17/2h * * *']) {
  let says;
  try {
    const { minutes, hours, days, weekdays } = parseCronExpression(text);
    says = `minutes ${minutes.length === 60 ? '*' : minutes}, hours ${hours.length === 24 ? '*' : hours}, days ${days.length === 31 ? '*' : days}, weekdays ${weekdays.length === 7 ? '*' : weekdays}`;
  } catch { says = 'refused'; }
  console.log(`${text}: ${says}`);
}
JS
seen=$(TZ=UTC node try.mjs)
echo "node $(node --version), cron-schedule@6.0.0"
echo "$seen"
# The output seen:
diff <(echo "$seen") - <<'SEEN'
0 0 * * MON#2: refused
0 0 * * 1#2: minutes 0, hours 0, days *, weekdays 1
0 0 15W * *: minutes 0, hours 0, days 15, weekdays *
5/15 * * * *: minutes 5, hours *, days *, weekdays *
5x * * * *: minutes 5, hours *, days *, weekdays *
0 9-17/2h * * *: minutes 0, hours 9, days *, weekdays *
SEEN
