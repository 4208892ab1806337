/** What clients send to Redis, seen by MONITOR. What a script calls doesn't count: it costs no round trip. */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { TestRedis } from './redis.ts';
import { until } from './until.ts';

/** Sent by ioredis itself when it connects. */
const HANDSHAKE = /^(info|client|hello|select)$/i;

let marks = 0;

/** @returns the commands that reached Redis while `body` ran, in order, without those of connecting */
export async function commandsDuring(
  redis: TestRedis,
  body: () => Promise<unknown>,
): Promise<string[][]> {
  const seen: string[][] = [];
  let ended = false;
  let socket!: Socket;
  // Not by ioredis: on a server that is busy the first lines come together with the answer, which it doesn't expect.
  const watch = () =>
    new Promise<void>((resolve) => {
      socket = connect(Number(new URL(redis.url).port), '127.0.0.1');
      socket.on('error', () => {}); // the close tells
      socket.on('close', () => ended || void watch()); // a test that kills all connections kills this one too
      socket.write('MONITOR\r\n');
      createInterface(socket).on('line', (line) => {
        if (line === '+OK') return resolve();
        const [, source, said = ''] = /^\+\d+\.\d+ \[\d+ ([^\]]*)\] (.*)$/.exec(line) ?? [];
        const args = Array.from(said.matchAll(/"((?:[^"\\]|\\.)*)"/g), ([, arg]) =>
          unescaped(arg!),
        );
        if (source !== 'lua' && args.length > 0 && !HANDSHAKE.test(args[0]!)) seen.push(args);
      });
    });
  await watch();
  const mark = `mark-${++marks}`;
  try {
    await body();
    // MONITOR tells in order: when the mark has come, all before it has.
    await redis.client.echo(mark);
    await until(() => seen.some((args) => args[1] === mark), { what: 'MONITOR has caught up' });
  } finally {
    ended = true;
    socket.destroy();
  }
  return seen.filter((args) => args[1] !== mark);
}

/** As Redis writes what can't be printed: `\\n`, `\\"`, or the byte, `\\xff`. */
function unescaped(text: string): string {
  const named: Record<string, string> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };
  const bytes = text.replace(
    /\\(?:x([0-9a-f]{2})|(.))/g,
    (_, hex: string | undefined, one: string) =>
      hex === undefined ? (named[one] ?? one) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString();
}
