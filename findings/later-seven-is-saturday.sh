#!/usr/bin/env bash
# @breejs/later 4.2.0 (Node 20): in a cron pattern day of week 7 is Saturday, where cron and all other readers have Sunday; 0 and SUN are
# Sunday. So 0,7 is the whole weekend, 5-7 Friday and Saturday, FRI-SUN Saturday alone, and no error says so.
# Installs pinned packages in a temporary folder; fails if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @breejs/later@4.2.0 croner@11.0.1
cat >try.mjs <<'JS'
import later from '@breejs/later';
import { Cron } from 'croner';
later.date.UTC();
const from = new Date('2026-05-03T12:00:00Z'); // a Sunday
const days = (dates) => [...new Set(dates.map((at) => at.toUTCString().slice(0, 3)))].join(' ');
for (const text of ['0 0 * * 0', '0 0 * * SUN', '0 0 * * 7', '0 0 * * 0,7', '0 0 * * 5-7', '0 0 * * FRI-SUN']) {
  console.log(`${text}: later ${days(later.schedule(later.parse.cron(text)).next(6, from))}; croner ${days(new Cron(text, { timezone: 'UTC', paused: true }).nextRuns(6, from))}`);
}
JS
seen=$(TZ=UTC node try.mjs)
echo "node $(node --version), @breejs/later@4.2.0 croner@11.0.1"
echo "$seen"
# The output seen:
diff <(echo "$seen") - <<'SEEN'
0 0 * * 0: later Sun; croner Sun
0 0 * * SUN: later Sun; croner Sun
0 0 * * 7: later Sat; croner Sun
0 0 * * 0,7: later Sat Sun; croner Sun
0 0 * * 5-7: later Fri Sat; croner Fri Sat Sun
0 0 * * FRI-SUN: later Sat; croner Fri Sat Sun
SEEN
