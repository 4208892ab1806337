/** The table of keys in the room's README: all there are, of the types that the scripts make them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { queueKeys } from '../../src/store/keys.ts';

const STORE = path.resolve(import.meta.dirname, '../../src/store');
const SCRIPTS = path.join(STORE, 'scripts');

/** Each key by the name it has in scripts, and how it is spelled after the queue's own part. */
const spelled = new Map<string, string>();
for (const [name, key] of Object.entries(queueKeys('minq', 'q'))) {
  if (typeof key === 'string') spelled.set(name, key.slice('minq:{q}:'.length));
}
spelled.delete('control'); // a channel
spelled.set('claim', 'claim:<worker>');

/** Types by key, as the table has them. */
const table = new Map<string, string>();
const readme = readFileSync(path.join(STORE, 'README.md'), 'utf8');
for (const [, keys, type] of readme.matchAll(/^\| (`.+?) +\| ([A-Z]+) +\|/gm)) {
  for (const [, key] of keys!.matchAll(/`(.+?)`/g)) table.set(key!, type!);
}

const TYPES: [command: RegExp, type: string][] = [
  [/^H/, 'HASH'],
  [/^Z/, 'ZSET'],
  [/^[LR](PUSH|POP|LEN|RANGE)$/, 'LIST'],
  [/^S(ADD|REM|CARD|ISMEMBER|MISMEMBER)$/, 'SET'],
  [/^[GS]ET$/, 'STRING'],
];

void t.test('it has every key, and no other', async (t) => {
  t.same([...table.keys()].toSorted(), [...spelled.values()].toSorted());
  t.ok(table.size > 30);
});

void t.test('their types are those that the commands of the scripts want', async (t) => {
  const seen = new Set<string>();
  for (const file of readdirSync(SCRIPTS)) {
    const text = readFileSync(path.join(SCRIPTS, file), 'utf8');
    for (const [, command, name] of text.matchAll(/redis\.p?call\('([A-Z]+)', (\w+)/g)) {
      const type = TYPES.find(([pattern]) => pattern.test(command!))?.[1];
      const key = spelled.get(name!);
      if (type === undefined || key === undefined) continue;
      seen.add(key);
      if (table.get(key) !== type) t.fail(`${file}: ${command} ${key}, a ${table.get(key)}`);
    }
  }
  const unseen = [...spelled.values()].filter((key) => !seen.has(key));
  t.same(unseen, ['timings:then'], 'all but one, a copy of another, stand in a command by name');
});
