/** Requests read and answered: JSON in, JSON out, and the headers that every answer has. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MinqError } from '../job/errors.ts';
import type { ErrorReply } from './api.ts';

/** As Node gives it; frameworks add to it what they have found out already. */
export type Request = IncomingMessage & {
  /** Express: the path before the mount point was taken off, and the mount point. */
  originalUrl?: string;
  baseUrl?: string;
  /** What a parser of the framework has made of the body. */
  body?: unknown;
};

export type Response = ServerResponse;

export type Headers = Record<string, string | number>;

/** An answer that isn't what was asked for. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Headers;
  constructor(status: number, message: string, headers: Headers = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** Only what lies beside the page may load or be asked, and nobody may frame it; nothing is kept by caches. */
const HEADERS: Headers = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** Largest body of a request, in bytes. */
const LARGEST_BODY = 64 * 1024;

export function send(
  response: Response,
  status: number,
  headers: Headers,
  body: string | Buffer = '',
): void {
  if (response.headersSent || response.destroyed) return;
  // What a CORS middleware in front of us has allowed for the rest of the server isn't meant for this part.
  for (const name of response.getHeaderNames()) {
    if (name.startsWith('access-control-')) response.removeHeader(name);
  }
  const length = status === 304 ? {} : { 'Content-Length': Buffer.byteLength(body) };
  // Node reads what is left of a body before it uses the connection again, however long it is: it ends instead.
  const left =
    response.req.complete === false && isLarge(response.req) ? { Connection: 'close' } : {};
  response.writeHead(status, { ...HEADERS, ...length, ...left, ...headers });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/** By what its head says; of a body in chunks it says nothing. */
const isLarge = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined ||
  Number(headers['content-length'] ?? 0) > LARGEST_BODY;

export function sendJson(response: Response, value: unknown, status = 200, headers = {}): void {
  const type = { 'Content-Type': 'application/json; charset=utf-8' };
  send(response, status, { ...type, ...headers }, JSON.stringify(value));
}

export function sendError(response: Response, error: unknown): void {
  const { status, message, headers } = refusalFor(error);
  sendJson(response, { error: message } satisfies ErrorReply, status, headers);
}

/** By the code of an error; any other of minq's own is a conflict. */
const STATUSES: Record<string, number> = {
  INVALID_ARGUMENT: 400,
  RESULT_NOT_FOUND: 404,
  REDIS_UNAVAILABLE: 503,
  REDIS_COMMAND: 503,
  REDIS_OUT_OF_MEMORY: 503,
};

/** Messages of minq's own errors carry no password, and no stack goes out; of other errors nothing is told. */
function refusalFor(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof MinqError) return new Refusal(STATUSES[error.code] ?? 409, error.message);
  return new Refusal(500, `unexpected ${error instanceof Error ? error.name : 'error'}`);
}

/**
 * The body as JSON: read here, or by the framework before us.
 * @throws {Refusal} when it is too large, or no JSON
 */
export async function readJson(request: Request): Promise<unknown> {
  const read = request.readableEnded ? request.body : await readText(request);
  if (typeof read !== 'string' && !Buffer.isBuffer(read)) return read;
  try {
    return JSON.parse(read.toString()) as unknown;
  } catch {
    throw new Refusal(400, 'the body is no JSON');
  }
}

async function readText(request: Request): Promise<string> {
  const tooLarge = () => new Refusal(413, `the body is larger than ${LARGEST_BODY} bytes`);
  if (request.headers['transfer-encoding'] === undefined && isLarge(request)) throw tooLarge();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      if (length <= LARGEST_BODY) return void chunks.push(chunk);
      request.off('data', onData).pause();
      reject(tooLarge());
    };
    request.on('data', onData);
    request.once('end', () => resolve(Buffer.concat(chunks).toString()));
    request.once('close', () => reject(new Refusal(400, 'the body broke off')));
    request.once('error', () => reject(new Refusal(400, 'the body broke off')));
  });
}
