#!/usr/bin/env bash
# jiti 2.7.0 (Node 20), with `interopDefault: false`: in a TypeScript file the default import of a CommonJS module is
# undefined if the process has required that module before, and the module if it has not. Node itself gives the module in
# both orders, and so does jiti with `moduleCache: false`.
# Installs pinned packages in a temporary folder; fails if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund jiti@2.7.0 ms@2.1.3
echo "import ms from 'ms'; export const type: string = typeof ms;" >jobs.ts
cat >try.mjs <<'JS'
import { createRequire } from 'node:module';
import { createJiti } from 'jiti';
const [order, cache] = process.argv.slice(2);
if (order === 'after') createRequire(import.meta.url)('ms');
const jiti = createJiti(import.meta.url, { interopDefault: false, moduleCache: cache === 'yes' });
console.log(order, cache, (await jiti.import('./jobs.ts')).type);
JS
seen=$(for order in first after; do for cache in yes no; do node try.mjs "$order" "$cache"; done; done)
echo "node $(node --version), jiti 2.7.0, ms 2.1.3: loaded first or after require, with module cache or without"
echo "$seen"
# The output seen:
diff <(echo "$seen") - <<'SEEN'
first yes function
first no function
after yes undefined
after no function
SEEN
