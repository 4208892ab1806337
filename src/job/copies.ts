/**
 * Copies of minq in one process: a bundled jobs file, a package of a workspace with its own `node_modules/minq`, the
 * command of another install. Those that fit together share what a worker and its jobs know of each other.
 */
import { fileURLToPath } from 'node:url';
import { VERSION } from './version.ts';

interface Copy {
  readonly version: string;
  readonly path: string;
}

/** What versions have in common that fit together: the major, below 1 the minor. */
const seriesOf = (version: string): string => /^(0\.)?\d+/.exec(version)![0];

/** Of this process: made by the copy that first asks for it. */
function ofProcess<T>(key: string, make: () => T): T {
  const all = globalThis as unknown as Record<symbol, T | undefined>;
  return (all[Symbol.for(key)] ??= make());
}

/** All there are, whatever their version. Read by every version to come: its shape never changes. */
const copies = ofProcess<Copy[]>('minq.copies', () => []);
/** This file, or the bundle it is in. By a stack trace: bundles in CommonJS, and jest, have no `import.meta`. */
export const ownFile = fileOf(String(new Error().stack));

function fileOf(stack: string): string {
  const [, place] = /(file:\/\/\S+|\/.+|\b[A-Z]:\\.+):\d+:\d+/.exec(stack) ?? [];
  if (place === undefined) return process.argv[1] ?? 'a bundle';
  return place.startsWith('file:') ? fileURLToPath(place) : place;
}

const own: Copy = { version: VERSION, path: ownFile };
if (!copies.some(({ path }) => path === own.path)) copies.push(own);

/** One value for all copies that fit together. */
export const shared = <T>(name: string, make: () => T): T =>
  ofProcess(`minq.${seriesOf(VERSION)}.${name}`, make);

/** What is wrong with the copies in this process; undefined where they fit together. */
export function misfit(): string | undefined {
  const other = copies.find(({ version }) => seriesOf(version) !== seriesOf(VERSION));
  if (!other) return undefined;
  const [a, b] = [own, other].map(({ version, path }) => `${version} (${path})`);
  return `two versions of minq that don't fit together are in this process, ${a} and ${b}; install one for all (\`npm ls minq\` shows who brings which)`;
}

/**
 * Lets `instanceof` know instances made by other copies, and names the classes; a minifier changes what the code says.
 * @param classes by their names
 */
export function sameInAllCopies(classes: Record<string, abstract new (...args: never[]) => Error>) {
  for (const [name, type] of Object.entries(classes)) {
    const mark = Symbol.for(`minq.${seriesOf(VERSION)}.${name}`);
    Object.defineProperty(type.prototype, mark, { value: true });
    Object.defineProperty(type.prototype, 'name', {
      value: name,
      writable: true,
      configurable: true,
    });
    Object.defineProperty(type, Symbol.hasInstance, {
      value(this: unknown, value: unknown): boolean {
        // A class of the user's that extends it asks for its own.
        if (this !== type) return Function.prototype[Symbol.hasInstance].call(this, value);
        return typeof value === 'object' && value !== null && mark in value;
      },
    });
  }
}
