/** Shows how far the work is: a bar on a terminal, elsewhere a line now and then. */
import { styleText } from 'node:util';

const BAR_MS = 80;
const LINE_MS = 2_000;
const WIDTH = 40;
/** Back to the start of the line, and clear it. */
const CLEAR = '\r\u001b[2K';

export interface Progress {
  /** One more job is done. */
  readonly tick: () => void;
  readonly stop: () => void;
}

export function startProgress(total: number, out: NodeJS.WriteStream = process.stderr): Progress {
  const startedAt = performance.now();
  let done = 0;
  const rate = () => Math.round((done * 1_000) / (performance.now() - startedAt));
  const count = () => `${done.toLocaleString('en')} of ${total.toLocaleString('en')} jobs`;

  const draw = out.isTTY
    ? () =>
        out.write(`${CLEAR}  ${bar(done / total)}  ${count()}  ${rate().toLocaleString('en')}/s`)
    : () => out.write(`  ${count()} done\n`);
  const timer = setInterval(draw, out.isTTY ? BAR_MS : LINE_MS);
  return {
    tick: () => void done++,
    stop() {
      clearInterval(timer);
      if (out.isTTY) out.write(CLEAR);
    },
  };
}

function bar(share: number): string {
  const full = Math.floor(share * WIDTH);
  const bright = '█'.repeat(full);
  const rest = '░'.repeat(WIDTH - full);
  return process.env['NO_COLOR']
    ? bright + rest
    : styleText('green', bright) + styleText('dim', rest);
}
