/** The whole terminal, drawn again and again, and given back as it was on every way out. */
import { escapeControls } from '../job/log.ts';
import { cut } from './table.ts';
import { columns } from './terminal.ts';

/** The other screen; no cursor; what is too wide is not wrapped. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const TO_END_OF_LINE = '\u001b[K';
const TO_END = '\u001b[J';

export class Screen {
  readonly #frame: () => string[];
  readonly #draw = () => this.draw();
  readonly #leave = () => void process.stdout.write(LEAVE);
  readonly #suspend = () => {
    this.#leave();
    process.kill(process.pid, 'SIGSTOP');
  };
  readonly #resume = () => {
    process.stdout.write(ENTER);
    this.draw();
  };

  /** @param frame the lines to be shown, made for `columns()` */
  constructor(frame: () => string[]) {
    this.#frame = frame;
    process.stdout.write(ENTER);
    process.on('exit', this.#leave);
    process.on('SIGTSTP', this.#suspend);
    process.on('SIGCONT', this.#resume);
    process.stdout.on('resize', this.#draw);
  }

  draw(): void {
    const rows = process.stdout.rows || 24;
    const all = this.#frame().map((line) => cut(escapeControls(line), columns()));
    const lines =
      all.length <= rows
        ? all
        : [...all.slice(0, rows - 1), `… ${all.length - rows + 1} more lines`];
    process.stdout.write(
      HOME + lines.map((line) => line + TO_END_OF_LINE).join('\n') + TO_END + HOME,
    );
  }

  /** Gives the terminal back; the last frame stays on it. */
  close(): void {
    process.off('exit', this.#leave);
    process.off('SIGTSTP', this.#suspend);
    process.off('SIGCONT', this.#resume);
    process.stdout.off('resize', this.#draw);
    this.#leave();
    for (const line of this.#frame()) process.stdout.write(`${escapeControls(line)}\n`);
  }
}
