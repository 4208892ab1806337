/** How the pages look: nothing sticks out, and every word can be read. */
import { chain, Fail, group, job, step } from '../../src/index.ts';
import { overhang, view } from '../helpers/browser.ts';
import { gate } from '../helpers/gate.ts';
import { scene } from '../helpers/setup.ts';
import { site } from '../helpers/site.ts';
import { until } from '../helpers/until.ts';

export const jobs = {
  add: (a: number, b: number) => a + b,
  boom: job({ retries: 0 }, () => {
    throw new Fail('no luck');
  }),
};

export const hashOf = (page: string, values: Record<string, string>) =>
  `#/${page}?${new URLSearchParams(values).toString()}`;

export interface Look {
  readonly colorScheme: 'light' | 'dark';
  readonly width: number;
}

export function looksWell(looks: readonly Look[]): void {
  scene('on a phone and on a desk, light and dark', async (t, stage) => {
  const door = gate();
  const queue = stage.queue();
  stage.worker({ ...jobs, pass: door.pass });
  const { port } = await site(stage);
  const failing = await queue.enqueue('boom', [{ text: 'x'.repeat(500) }]);
  await queue.enqueue('pass');
  await queue.schedule('a-rather-long-name-for-an-entry', { cron: '0 2 * * *', fn: 'add', args: [1, 2] });
  const flow = await queue.enqueue(chain(step('add', [1, 2]), group([step('add', [1]), step('add', [2])]), step('pass'), step('add', [5])));
  await until(async () => (await failing.state()) === 'failed');
  await until(async () => (await queue.counts()).active === 2);
  const { name } = stage;
  const places: Record<string, string> = {
    '#/overview': '.kinds tr',
    [hashOf('overview', { queue: name })]: '.kinds tr',
    '#/failures': '.kinds tr',
    [hashOf('jobs', { queue: name })]: 'table.jobs tr',
    [hashOf('job', { queue: name, id: failing.id })]: 'section[aria-label="Error"]',
    [hashOf('job', { queue: name, id: flow.id })]: '.flow svg',
    '#/workers': '.running li',
    '#/cron': 'table.cron tr',
  };
  const grounds = new Set<unknown>();
  for (const { colorScheme, width } of looks) {
      const { page, problems, go } = await view(stage, port, { colorScheme, viewport: { width, height: 740 } });
      for (const [hash, there] of Object.entries(places)) {
        await go(hash);
        await page.locator(there).last().waitFor();
        t.equal(await overhang(page), 0, `${colorScheme} ${width} ${hash}`);
      }
      grounds.add(await page.evaluate('getComputedStyle(document.body).backgroundColor'));
      t.same(await page.evaluate(CONTRASTS), [], `${colorScheme}: every word can be read`);
      t.same(problems, []);
  }
  t.equal(grounds.size, 2);
  door.open();
}); // prettier-ignore
}

/** Colours of words that don't stand out enough from each ground (WCAG AA: 4.5). */
const CONTRASTS = `(() => {
  const probe = document.body.appendChild(document.createElement('i'));
  const canvas = document.createElement('canvas').getContext('2d');
  const light = (name) => {
    probe.style.color = 'var(' + name + ')';
    canvas.fillStyle = getComputedStyle(probe).color;
    const parts = canvas.fillStyle.match(/\\w\\w/g).map((hex) => parseInt(hex, 16) / 255);
    const [r, g, b] = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const words = ['text', 'muted', 'accent', 'bad', 'warn', 'waiting', 'scheduled', 'queued', 'active', 'completed', 'failed', 'cancelled'];
  const grounds = ['ground', 'surface', 'raised'];
  const pairs = words.flatMap((word) => grounds.map((ground) => [word, ground]));
  pairs.push(['bad', 'bad-ground'], ['text', 'bad-ground'], ['warn', 'warn-ground'], ['text', 'warn-ground'], ['accent', 'bad-ground'], ['accent', 'warn-ground'], ['on-accent', 'accent'], ['surface', 'bad']);
  return pairs.flatMap(([a, b]) => {
    const [high, low] = [light('--' + a), light('--' + b)].sort((x, y) => y - x);
    const ratio = (high + 0.05) / (low + 0.05);
    return ratio < 4.5 ? [a + ' on ' + b + ': ' + ratio.toFixed(2)] : [];
  });
})()`;
