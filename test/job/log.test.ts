import t from 'tap';
import { escapeControls, jsonLine, lineLogger, textLine } from '../../src/job/log.ts';

const TIME = new Date('2026-11-20T10:11:12.131Z');

void t.test('a text line: time, level, message and fields a person can read', async (t) => {
  t.equal(
    textLine(TIME, 'info', 'job completed', {
      id: 'a1',
      fn: 'add',
      attempt: 1,
      odd: undefined,
      ok: true,
    }),
    '10:11:12.131 info  job completed id=a1 fn=add attempt=1 ok=true',
  );
  t.equal(
    textLine(TIME, 'error', 'job failed', { error: 'Error: no "luck" = none', empty: '' }),
    '10:11:12.131 error job failed error="Error: no \\"luck\\" = none" empty=""',
  );
});

void t.test('a JSON line: one object, whatever is in it', async (t) => {
  const line = jsonLine(TIME, 'warn', 'two\nlines', { id: '\u001b[2J', ms: 1.5, gone: undefined });
  t.notMatch(line, /\n/);
  t.same(JSON.parse(line), {
    time: '2026-11-20T10:11:12.131Z',
    level: 'warn',
    message: 'two\nlines',
    id: '\u001b[2J',
    ms: 1.5,
  });
});

const FORGERIES: Record<string, [text: string, escaped: string]> = {
  'a line break': ['\n2026 error fake', '\\n2026 error fake'],
  'a carriage return': ['a\rb', 'a\\u000db'],
  'a tab': ['a\tb', 'a\\tb'],
  'a terminal command': ['\u001b[2J', '\\u001b[2J'],
  'a C1 command': ['\u009b2J', '\\u009b2J'],
  'a null and a delete': ['\u0000\u007f', '\\u0000\\u007f'],
  'line separators': ['\u2028\u2029', '\\u2028\\u2029'],
  'what nobody sees': [
    'a\u200bb\u061c\ufeff\u00ad\u{e0041}\u2060',
    'a\\u200bb\\u061c\\ufeff\\u00ad\\u{e0041}\\u2060',
  ],
  'direction marks': ['\u202eevil\u2066', '\\u202eevil\\u2066'],
};

for (const [what, [text, escaped]] of Object.entries(FORGERIES)) {
  void t.test(`${what} in a message, a field or a name can't forge a line`, async (t) => {
    t.equal(escapeControls(text), escaped);
    const line = textLine(TIME, 'info', text, { fn: text });
    t.match(line, `info  ${escaped} fn=`);
    t.equal(escapeControls(line), line, 'nothing is left to escape');
  });
}

void t.test('letters of all languages stay as they are', async (t) => {
  t.equal(escapeControls('Zoë 日本 👍 ñ'), 'Zoë 日本 👍 ñ');
});

void t.test('a line logger writes one line each; debug only when it is verbose', async (t) => {
  const write = (lines: string[]) => (line: string) => void lines.push(line);
  const plain: string[] = [];
  const verbose: string[] = [];
  for (const logger of [
    lineLogger({ write: write(plain) }),
    lineLogger({ write: write(verbose), verbose: true, json: true }),
  ]) {
    logger.debug('d');
    logger.info('i', { id: 'x' });
    logger.warn('w');
    logger.error('e');
  }
  t.same(plain.map((line) => line.slice(13)), ['info  i id=x', 'warn  w', 'error e']); // prettier-ignore
  t.same(
    verbose.map((line) => (JSON.parse(line) as { level: string }).level),
    ['debug', 'info', 'warn', 'error'],
  );
});
