/** Says on standard error how far it is: a bar where that is a terminal, else a line per step. */
const BAR = 30;

export class Progress {
  readonly #steps: number;
  readonly #quiet: boolean;
  #done = 0;

  constructor(steps: number) {
    this.#steps = steps;
    this.#quiet = !process.stderr.isTTY;
  }

  step(what: string): void {
    this.#done++;
    if (this.#quiet) {
      process.stderr.write(`${this.#done}/${this.#steps} ${what}\n`);
      return;
    }
    const filled = Math.round((BAR * this.#done) / this.#steps);
    const bar = '█'.repeat(filled).padEnd(BAR, '░');
    process.stderr.write(`\r\x1b[2K${bar} ${this.#done}/${this.#steps} ${what}`);
  }

  end(): void {
    if (!this.#quiet) process.stderr.write('\r\x1b[2K');
  }
}
