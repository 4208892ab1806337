/** The demo's input: files of the installed packages. */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';

const MAX_BYTES = 1024 * 1024;
/** Binary files are few: looked for by name, and then looked at. */
const BINARY = /\.(png|jpe?g|gif|ico|wasm|node|gz|woff2?)$/;

export interface Files {
  /** Readable as text. */
  text: string[];
  binary: string[];
}

/** Finds up to so many of each. The same ones each time, as long as the same packages are installed. */
export async function findFiles(
  folder: string,
  most: { text: number; binary: number },
  signal: AbortSignal,
): Promise<Files> {
  const found: Files = { text: [], binary: [] };
  for (const file of await allFiles(folder)) {
    signal.throwIfAborted();
    const room = found.text.length < most.text;
    if (!room && (found.binary.length >= most.binary || !BINARY.test(file))) continue;
    const { size } = await stat(file);
    if (size === 0 || size > MAX_BYTES) continue;
    const text = isText(await readFile(file));
    if (text && room) found.text.push(file);
    if (!text && found.binary.length < most.binary) found.binary.push(file);
  }
  return found;
}

export const isText = (content: Buffer): boolean => isUtf8(content) && !content.includes(0);

/** In an order that mixes all packages, so that the first so many are a fair sample. */
async function allFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const hidden = `${path.sep}.`; // caches, and links to programs
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !file.slice(folder.length).includes(hidden))
    .map((file) => ({ file, key: sha1(path.relative(folder, file)) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ file }) => file);
}

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex');
