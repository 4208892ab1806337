/**
 * What a run of the tests says, on a terminal or in a log: a line for each file when it ends, with what its tests have to
 * say besides, and at the end each failure with all that is known of it. It reads TAP and writes text.
 */
import { Transform } from 'node:stream';

const INDENT = 4;

export default class Report extends Transform {
  #rest = '';
  /** Names of the tests that are open: the file, the test in it, and so on. */
  #path = [];
  /** Of the file: what its tests have said. */
  #comments = [];
  /** Of the file: what failed in it. */
  #failed = [];
  /** Of all files: blocks of lines. */
  #failures = [];
  /** What follows is said of this failure. */
  #details;
  #closing = [];

  constructor() {
    super({ decodeStrings: false, encoding: 'utf8' });
  }

  _transform(chunk, _encoding, done) {
    const lines = (this.#rest + String(chunk)).split('\n');
    this.#rest = lines.pop();
    for (const line of lines) this.#read(line);
    done();
  }

  _flush(done) {
    const blocks =
      this.#failures.length > 0
        ? ['', 'Failures:', ...this.#failures.flatMap((block) => [...block, ''])]
        : [];
    this.push(['', ...blocks, ...this.#closing, ''].join('\n'));
    done();
  }

  #read(line) {
    if (this.#details && this.#isDetail(line)) return;
    const text = line.trimStart();
    const depth = Math.floor((line.length - text.length) / INDENT);
    const subtest = /^# Subtest: (.*)/.exec(text);
    const result = /^(not )?ok \d+(?: - (.*?))?(?: # (time=|SKIP|TODO)(.*))?$/.exec(text);
    if (subtest) this.#path.push(subtest[1]);
    else if (result) this.#ended(depth, result);
    else if (depth === 0 && /^# (\{|time=)/.test(text)) this.#closing.push(text);
    else if (/^# (?!\{|time=)/.test(text)) this.#comments.push(text);
  }

  #ended(depth, [, not, name = '', mark, value]) {
    const wasOpen = this.#path.length > depth;
    if (wasOpen) this.#path.length = depth;
    const failed = not && mark !== 'TODO' && mark !== 'SKIP';
    // Of a test that failed, something in it has told why; unless it is a file that ended as it should not.
    if (failed && !(wasOpen && (depth > 0 || this.#failed.length > 0))) {
      this.#details = [`FAILED ${[...this.#path, name].join(' > ')}`];
      this.#failed.push(this.#details);
    }
    if (depth > 0) return;
    const seconds = mark === 'time=' ? `${(parseFloat(value) / 1_000).toFixed(1)} s` : '';
    this.push(`${failed ? 'FAILED' : 'ok    '} ${seconds.padStart(7)}  ${name}\n`);
    for (const comment of this.#comments) this.push(`                 ${comment.slice(2)}\n`);
    this.#failures.push(...this.#failed);
    this.#failed = [];
    this.#comments = [];
  }

  /** Details are a block of YAML right behind the failure. */
  #isDetail(line) {
    const text = line.trim();
    if (this.#details.length === 1 && text !== '---') {
      this.#details = undefined;
      return false;
    }
    this.#details.push(line);
    if (text === '...') this.#details = undefined;
    return true;
  }
}
