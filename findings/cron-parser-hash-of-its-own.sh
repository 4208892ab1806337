#!/usr/bin/env bash
# cron-parser 5.10.6 (Node 20): H, which in Jenkins is one value for each job, is a new one each time the text is parsed, unless hashSeed is
# given. Who parses the pattern again for each next run (as a queue does that keeps the text) gets another minute every time.
# Installs pinned packages in a temporary folder; fails if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund cron-parser@5.10.6
cat >try.mjs <<'JS'
import { CronExpressionParser } from 'cron-parser';
const many = (options) => new Set(Array.from({ length: 200 }, () => CronExpressionParser.parse('H H * * *', { tz: 'UTC', ...options }).stringify())).size;
console.log('of 200 parsed, more than 20 different ones:', many({}) > 20);
console.log('with a hashSeed:', many({ hashSeed: 'a job' }));
JS
seen=$(TZ=UTC node try.mjs)
echo "node $(node --version), cron-parser@5.10.6"
echo "$seen"
# The output seen:
diff <(echo "$seen") - <<'SEEN'
of 200 parsed, more than 20 different ones: true
with a hashSeed: 1
SEEN
