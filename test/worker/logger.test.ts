/** Loggers people have: pino, which takes the fields first, and console, which takes the message first. */
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { Fail, currentJob, job, type Logger } from '../../src/index.ts';
import { lineLogger, messageFirst } from '../../src/job/log.ts';
import { scene } from '../helpers/setup.ts';
import t from 'tap';

/** A stream that keeps what is written to it. */
function kept(): { stream: Writable; text: () => string } {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { stream, text: () => text };
}

const jobs = {
  hello: () => currentJob().log.debug('said', { to: 'ann', id: 'own' }),
  bye: job({ retries: 0 }, () => {
    currentJob().log.warn('leaving');
    throw new Error('100% gone');
  }),
};

interface PinoLine {
  level: number;
  msg: string;
  [field: string]: unknown;
}

const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 };

for (const child of [false, true]) {
  scene(`pino${child ? ', a child logger' : ''}: message, fields and level`, async (t, stage) => {
    const { stream, text } = kept();
    const root = pino({ level: 'debug', base: undefined }, stream);
    const logger = child ? root.child({ service: 'mail' }) : root;
    const worker = stage.worker(jobs, { logger });
    const queue = stage.queue();
    const hello = await queue.enqueue('hello');
    await hello.result({ timeout: '10s' });
    const bye = await queue.enqueue('bye');
    await t.rejects(bye.result({ timeout: '10s' }));
    await worker.stop();
    const lines = text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as PinoLine);
    const find = (msg: string, id?: string) =>
      lines.find((line) => line.msg === msg && (!id || line['id'] === id));
    const service = child ? { service: 'mail' } : {};

    t.match(find('worker started'), {
      ...service,
      level: LEVELS.info,
      queue: stage.name,
      redis: `127.0.0.1:${stage.redis.port}/0`,
      functions: 'hello, bye',
    });
    t.match(find('job started', hello.id), { ...service, level: LEVELS.info, fn: 'hello', attempt: 1 }); // prettier-ignore
    t.match(find('said'), { ...service, level: LEVELS.debug, fn: 'hello', to: 'ann', id: 'own' });
    t.match(find('leaving'), { ...service, level: LEVELS.warn, fn: 'bye', id: bye.id });
    t.match(find('job failed'), { level: LEVELS.error, id: bye.id, error: 'Error: 100% gone' });
    t.equal(lines.filter((line) => child !== 'service' in line).length, 0);
  });
}

scene('a pino logger drops what is below its level, also when that changes', async (t, stage) => {
  const { stream, text } = kept();
  const logger = pino({ level: 'error' }, stream);
  stage.worker(jobs, { logger });
  const queue = stage.queue();
  await (await queue.enqueue('hello')).result({ timeout: '10s' });
  t.equal(text(), '');
  logger.level = 'debug';
  await (await queue.enqueue('hello')).result({ timeout: '10s' });
  t.match(text(), '"msg":"said"');
});

scene('who fails on purpose has seen it coming: a warning, and no error', async (t, stage) => {
  stage.worker({ refuses: () => { throw new Fail('no address'); } }); // prettier-ignore
  await t.rejects((await stage.queue().enqueue('refuses')).result({ timeout: '10s' }));
  t.ok(stage.log.some((line) => line.startsWith('warn job failed')), stage.log.join());
  t.notOk(stage.log.some((line) => line.startsWith('error')));
}); // prettier-ignore

scene('console: message, then fields', async (t, stage) => {
  const { stream, text } = kept();
  const worker = stage.worker(jobs, { logger: new Console(stream) });
  const hello = await stage.queue().enqueue('hello');
  await hello.result({ timeout: '10s' });
  await worker.stop();
  t.match(text(), new RegExp(`^worker started \\{\\s+queue: '${stage.name}',\\s+concurrency: 10,`));
  t.match(text(), `job started { id: '${hello.id}', fn: 'hello', attempt: 1,`);
  t.match(text(), `said { id: 'own', fn: 'hello', to: 'ann' }`);
});

void t.test('a logger that takes the message first stays the object it is', async (t) => {
  const loggers: Logger[] = [console, new Console(process.stderr), lineLogger()];
  for (const logger of loggers) t.equal(messageFirst(logger), logger);
  const takesFieldsFirst = pino();
  t.not(messageFirst(takesFieldsFirst), takesFieldsFirst);
});

void t.test('without fields, percent signs and all', async (t) => {
  const { stream, text } = kept();
  messageFirst(pino({ base: undefined, timestamp: false }, stream)).info('100%s %d %o');
  t.equal(text(), '{"level":30,"msg":"100%s %d %o"}\n');
});
