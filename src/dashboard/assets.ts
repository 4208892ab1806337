/**
 * The files of the pages. They are listed once, and asked for by a name in that list: no path from a request ever
 * comes near the file system.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import nodeModule from 'node:module'; // the name createRequire is taken by the banner that bundles often have
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { ownFile } from '../job/copies.ts';
import { MinqError } from '../job/errors.ts';
import { Refusal, send, type Request, type Response } from './answer.ts';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

interface Asset {
  type: string;
  body: Buffer;
  zipped: Buffer;
  hash: string;
}

export const PAGE = 'index.html';

/**
 * Where the build puts them: as far from the sources as from what is built of them. Code in a bundle, which may know no
 * file of its own, finds them in the package, if that is installed where it runs.
 * @throws {MinqError} `PAGES_MISSING`
 */
function folderOfPages(): string {
  const places = [path.join(path.dirname(ownFile), '../../dist/dashboard/page'), ...inPackage()];
  const found = places.find((place) => existsSync(path.join(place, PAGE)));
  if (found !== undefined) return found;
  throw new MinqError(
    'PAGES_MISSING',
    `dashboard: its pages are missing, there is no ${places[0]}; a bundle takes code only: install minq where it runs`,
  );
}

function inPackage(): string[] {
  try {
    const main = path.resolve(process.argv[1] ?? 'node');
    return [
      path.join(path.dirname(nodeModule.createRequire(main).resolve('minq/dashboard')), 'page'),
    ];
  } catch {
    return []; // not installed there
  }
}

/** Reads them at the first use, not before: whoever mounts the handler may never see it used. */
export class Assets {
  readonly #folder = folderOfPages();
  #read: Promise<Map<string, Asset>> | undefined;

  /** @throws {Refusal} when there is no such file */
  async send(request: Request, response: Response, name: string): Promise<void> {
    this.#read ??= readAssets(this.#folder).catch((error: unknown) => {
      this.#read = undefined;
      throw error;
    });
    const asset = (await this.#read).get(name);
    if (!asset) throw new Refusal(404, 'there is nothing here');
    const zip = /\bgzip\b(?! *; *q=0(\.0*)?(,| |$))/i.test(
      String(request.headers['accept-encoding'] ?? ''),
    );
    const etag = `"${asset.hash}${zip ? '-gzip' : ''}"`;
    const headers = {
      'Cache-Control': 'no-cache', // kept, but never used without asking whether it is still the same
      ETag: etag,
      Vary: 'Accept-Encoding',
    };
    if (String(request.headers['if-none-match'] ?? '').includes(etag)) {
      return send(response, 304, headers);
    }
    send(
      response,
      200,
      { ...headers, 'Content-Type': asset.type, ...(zip && { 'Content-Encoding': 'gzip' }) },
      zip ? asset.zipped : asset.body,
    );
  }
}

async function readAssets(folder: string): Promise<Map<string, Asset>> {
  const files = await readdir(folder, { recursive: true });
  const assets = new Map<string, Asset>();
  for (const file of files) {
    const type = TYPES[path.extname(file)];
    if (type === undefined) continue;
    const body = await readFile(path.join(folder, file));
    const zipped = await promisify(gzip)(body);
    const hash = createHash('sha256').update(body).digest('base64url').slice(0, 22);
    assets.set(file.replaceAll(path.sep, '/'), { type, body, zipped, hash });
  }
  return assets;
}
