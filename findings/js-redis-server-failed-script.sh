#!/usr/bin/env bash
# js-redis-server 0.3.0 (Node 20, ioredis 5.11.1): it refuses the script header `#!lua`, which Redis takes since 7.0; and a script that it
# refused it remembers all the same. `EVALSHA` with that hash, where Redis says NOSCRIPT of what was never accepted, gives the error of
# the Lua compiler once more. So who sends a script whole after NOSCRIPT, and without the header where that is refused, must look
# for that refusal at both commands. SCRIPT EXISTS says 1 of it.
# Installs pinned packages in a temporary folder; fails if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund js-redis-server@0.3.0 ioredis@5.11.1
cat >try.mjs <<'JS'
import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { createRedisMock } from 'js-redis-server';
const mock = await createRedisMock();
const redis = new Redis(mock.port, mock.host);
const said = (call) => call.then((reply) => JSON.stringify(reply), (error) => (/^NOSCRIPT/.test(error.message) ? 'NOSCRIPT' : /unexpected symbol/.test(error.message) ? 'unexpected symbol' : error.message));
const [header, plain] = ['#!lua\nreturn 1', 'return 2'];
const sha = (text) => createHash('sha1').update(text).digest('hex');
console.log('EVALSHA, before any EVAL:', await said(redis.evalsha(sha(header), 0)));
console.log('EVAL with #!lua:', await said(redis.eval(header, 0)));
console.log('EVALSHA, after it:', await said(redis.evalsha(sha(header), 0)));
console.log('SCRIPT EXISTS:', await said(redis.script('EXISTS', sha(header))));
console.log('EVAL without:', await said(redis.eval(plain, 0)));
redis.disconnect();
await mock.close();
JS
seen=$(node try.mjs)
echo "node $(node --version), js-redis-server 0.3.0"
echo "$seen"
# The output seen:
diff <(echo "$seen") - <<'SEEN'
EVALSHA, before any EVAL: NOSCRIPT
EVAL with #!lua: unexpected symbol
EVALSHA, after it: unexpected symbol
SCRIPT EXISTS: [1]
EVAL without: 2
SEEN
