/**
 * The files of the pages. They are listed once, and asked for by a name in that list: no path from a request ever
 * comes near the file system.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Refusal, send, type Request, type Response } from './answer.ts';

/** Where the build puts them: as far from this file's source as from what is built of it. */
const FOLDER = fileURLToPath(new URL('../../dist/dashboard/page/', import.meta.url));

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

/** Reads them at the first use, not before: whoever mounts the handler may never see it used. */
export class Assets {
  #read: Promise<Map<string, Asset>> | undefined;

  /** @throws {Refusal} when there is no such file */
  async send(request: Request, response: Response, name: string): Promise<void> {
    this.#read ??= readAssets().catch((error: unknown) => {
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

async function readAssets(): Promise<Map<string, Asset>> {
  const files = await readdir(FOLDER, { recursive: true }).catch(() => [] as string[]);
  if (!files.includes(PAGE)) {
    throw new Refusal(500, `the pages are missing: there is no dist/dashboard/page/${PAGE}`);
  }
  const assets = new Map<string, Asset>();
  for (const file of files) {
    const type = TYPES[path.extname(file)];
    if (type === undefined) continue;
    const body = await readFile(path.join(FOLDER, file));
    const zipped = await promisify(gzip)(body);
    const hash = createHash('sha256').update(body).digest('base64url').slice(0, 22);
    assets.set(file.replaceAll(path.sep, '/'), { type, body, zipped, hash });
  }
  return assets;
}
