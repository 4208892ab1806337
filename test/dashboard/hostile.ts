/** Whoever can enqueue writes names, arguments and errors that somebody reads: they are text, and nothing else. */
import type { Page } from 'playwright-core';
import { overhang, view } from '../helpers/browser.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { site } from '../helpers/site.ts';

const HOSTILE: Record<string, string> = {
  image: '<img src=x onerror="window.pwned=1">',
  script: '"></bdi></td><script>window.pwned=2</script>',
  frame: `'><iframe srcdoc="<script>parent.pwned=3</script>"></iframe>`,
  svg: '</title></svg><svg onload="window.pwned=4"><a href="javascript:window.pwned=5">x</a>',
  address: 'javascript:window.pwned=6//?a=b&c=d#e/../%2e%2e/%00',
  template: '{{constructor.constructor("window.pwned=7")()}} ${window.pwned=8}',
  entities: '&lt;b&gt;&amp;&#x3c;script&#x3e; <b>bold</b>',
  turned: '\u202Egpj.exe\u202C \u2066\u200F left? \u2069',
  broken: 'half \uD800 a character, NUL \u0000, bell \u0007, line\u2028break\r\n\ttab',
  inherited: '__proto__',
  endless: 'W'.repeat(10_000),
  many: `${'spaced out '.repeat(900)}`,
  tall: 'z\u0351\u0363\u0367\u0310\u0304\u0366\u0350\u0324'.repeat(60),
};

/** As if a client of another kind, or an intruder, had written it: no check of ours was passed. */
async function write(stage: Stage, queue: string): Promise<void> {
  const { client } = stage.redis;
  const key = (name: string) => `minq:{${queue}}:${name}`;
  const now = Date.now();
  for (const [kind, text] of Object.entries(HOSTILE)) {
    const id = `${kind} ${text}`.slice(0, 250);
    const record = { fn: text, args: [text, { [text]: [text] }], meta: { [text]: text, kind } };
    const error = { name: text.slice(0, 300), message: text, stack: `${text}\n    at ${text}` };
    const outcome = { state: 'failed', error, attempt: 2, startedAt: now - 5_000, ranMs: 40 };
    for (const each of [id, `plain-${kind}`]) {
      await client.hset(key('jobs'), each, `${now}${JSON.stringify(record)}`);
      await client.hset(key('outcomes'), each, `${now}${JSON.stringify(outcome)}`);
      await client.zadd(key('failed'), now + 3_600_000, each);
    }
    const presence = {
      host: text, pid: 1, concurrency: 3, busy: 2, version: text, node: text, startedAt: now - 60_000,
      running: [{ id, fn: text, sinceMs: 1_000 }],
      loop: { p50: 1, p99: 900, max: 1_000 }, memory: { rss: 1e8, heap: 1e7 },
      blocked: { at: now - 1_000, ms: 800, jobs: [{ id, fn: text }] },
    }; // prettier-ignore
    // Silent, for some of them.
    const seen = now - (kind.length % 2 ? 30_000 : 0);
    await client.hset(key('workers'), `w ${text}`, `${seen}${JSON.stringify(presence)}`);
    await client.hset(key('timings'), `${text} completed`, '1');
  }
  // Entries whose functions have such names count as unreadable; names and arguments may be anything.
  const entries = await client.hgetall(key('cron:entries'));
  const [definition] = Object.values(entries);
  for (const text of Object.values(HOSTILE)) {
    const hostile = definition!.replace('"<i>x</i>"', () => JSON.stringify(text));
    await client.hset(key('cron:entries'), text, hostile);
    await client.zadd(key('cron'), now + 3_600_000, text);
  }
}

/** What must never be: elements and attributes that we didn't make, addresses that lead elsewhere, scripts that ran. */
const TRACES = `(() => {
  const found = [];
  if ('pwned' in window) found.push('a script ran: ' + window.pwned);
  if (({}).polluted !== undefined) found.push('polluted');
  for (const element of document.querySelectorAll('*')) {
    const name = element.localName;
    if (['img', 'iframe', 'object', 'embed', 'video', 'audio', 'base'].includes(name)) found.push('<' + name + '>');
    if (name === 'script' && element.getAttribute('src') !== 'main.js') found.push('<script>');
    if (name === 'b' && element.textContent === 'bold') found.push('<b>');
    for (const attribute of element.attributes) {
      if (/^on/i.test(attribute.name)) found.push(name + ' ' + attribute.name);
      if (attribute.name === 'href' && name.toLowerCase() === 'a' && !/^#(main$|\\/(overview|failures|jobs|job|workers|cron)(\\?|$))/.test(attribute.value)) found.push('href ' + attribute.value);
    }
  }
  return found;
})()`;

/** The text is there, wherever spaces are drawn. */
async function shows(page: Page, text: string): Promise<boolean> {
  const all = (await page.evaluate('document.body.textContent')) as string;
  return (
    all.includes(text.slice(0, 60).replaceAll('\r\n', '\n')) || all.includes(text.slice(0, 60))
  );
}

/** @param width of the window */
export function showsAsText(width: number): void {
  scene(`hostile names, arguments, errors and hosts are text, at ${width} pixels`, async (t, stage) => {
    stage.allow(/./);
    const queue = stage.queue();
    await queue.schedule('good', { cron: '0 2 * * *', fn: 'add', args: ['<i>x</i>'] });
    await write(stage, stage.name);
    const { port } = await site(stage);
    const { page, problems, go } = await view(stage, port, { viewport: { width, height: 740 } });
    const check = async (where: string) => {
      t.same(await page.evaluate(TRACES), [], where);
      t.equal(await overhang(page), 0, `${where}: no wider than the window`);
    };
    const q = encodeURIComponent(stage.name);
    const alive = Object.entries(HOSTILE);

    await page.locator('.kinds tbody tr').nth(4).waitFor();
    await page.locator('.banner').nth(8).waitFor();
    await check('overview');
    await go(`#/failures?queue=${q}`);
    await page.locator('.kinds tbody tr').nth(4).waitFor();
    await check('failures');
    await go(`#/overview?queue=${q}`);
    await page.locator('.depth').waitFor();
    await check('queue');

    await go(`#/jobs?queue=${q}&state=failed`);
    await page.locator('tr[data-job]').nth(2 * alive.length - 1).waitFor();
    await check('jobs');
    for (const [kind, text] of alive) {
      if (kind !== 'broken') t.ok(await shows(page, text.slice(0, 40)), `jobs show: ${kind}`);
    }
    await page.getByLabel('Text in the error').fill(HOSTILE['image']!);
    await page.locator('tr[data-job]').nth(2).waitFor({ state: 'detached' });
    await check('jobs, searched');
    await page.getByRole('button', { name: 'Retry all matching' }).click();
    await page.locator('dialog li').getByText(HOSTILE['image']!).waitFor();
    await check('the question');
    await page.keyboard.press('Escape');
    await page.locator('tr[data-job] .fn').first().click();
    await page.waitForURL(/fn=/);
    await check('jobs of one function');

    for (const [kind, text] of alive) {
      await go(`#/job?queue=${q}&id=plain-${kind}`);
      await page.locator('section[aria-label="Meta"]').waitFor();
      t.ok(await shows(page, text), `job: ${kind}`);
      await check(`job: ${kind}`);
      // An id that can't be one is shown all the same, with what the server says to it.
      const id = `${kind} ${text}`.slice(0, 250).replaceAll('\uD800', '');
      await go(`#/job?queue=${q}&id=${encodeURIComponent(id)}`);
      await page.locator('p[role=alert]').waitFor();
      await check(`id: ${kind}`);
    }

    await go('#/workers');
    await page.locator('article[data-worker]').nth(alive.length - 1).waitFor();
    await page.locator('.badge', { hasText: 'silent' }).first().waitFor();
    await check('workers');
    for (const [kind, text] of alive) t.ok(await shows(page, text.slice(0, 20)), `workers: ${kind}`);

    await go('#/cron');
    await page.locator('tr[data-entry="good"]').waitFor();
    await page.locator('tr[data-entry]').nth(alive.length - 1).waitFor();
    await check('cron');
    t.ok(await shows(page, HOSTILE['image']!), 'cron');

    for (const hash of ['#/nowhere', '#/job', '#/jobs?queue=%E0%A4%A', `#/jobs?queue=${encodeURIComponent(HOSTILE['script']!)}`, '#/overview?queue=__proto__&span=<img>', '#/jobs?state=constructor&from=-1-x-99999999999']) {
      await go(hash);
      await page.locator('h1').first().waitFor();
      await check(hash);
    }
    const expected = /status of (400|404)/;
    t.same(problems.filter((line) => !expected.test(line)), []);
  }); // prettier-ignore
}
