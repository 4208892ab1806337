#!/usr/bin/env bash
# jiti 2.7.0 (Node 20): with `moduleCache: false` (which the default imports of CommonJS modules need, see
# jiti-loaded-commonjs.sh) two files that are imported by one and the same instance, one after the other, get two copies of
# a module that both import: it is evaluated twice. Imported by one module, whether a file or a text given to `evalModule`, they
# share it. Within one `import`, then, there is a cache; between two there is none.
# Installs pinned packages in a temporary folder; fails if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund jiti@2.7.0
echo 'console.log("evaluated"); export const shared: object = {};' >shared.ts
echo "export { shared } from './shared.ts';" | tee a.ts >b.ts
cat >try.mjs <<'JS'
import path from 'node:path';
import { createJiti } from 'jiti';
const make = () => createJiti(import.meta.url, { interopDefault: false, moduleCache: false, fsCache: false });
const jiti = make();
const [a, b] = [await jiti.import('./a.ts'), await jiti.import('./b.ts')];
console.log('two imports:', a.shared === b.shared ? 'the same' : 'two copies');
const text = "export * as a from './a.ts'; export * as b from './b.ts';";
const both = await make().evalModule(text, { filename: path.resolve('both.ts'), async: true });
console.log('one module:', both.a.shared === both.b.shared ? 'the same' : 'two copies');
JS
seen=$(node try.mjs)
echo "node $(node --version), jiti 2.7.0"
echo "$seen"
# The output seen:
diff <(echo "$seen") - <<'SEEN'
evaluated
evaluated
two imports: two copies
evaluated
one module: the same
SEEN
