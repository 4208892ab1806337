/** Behind a real nginx: as it asks by default, and with the lines of the guide. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { barriers, view } from '../helpers/browser.ts';
import { read } from '../helpers/docs.ts';
import { freePort } from '../helpers/redis.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { site, siteAt, type Site } from '../helpers/site.ts';
import { until } from '../helpers/until.ts';

const guide = read('src/dashboard/GUIDE.md');
const [, LINES = ''] = /^```nginx\n([\s\S]*?)^```$/m.exec(guide) ?? [];

/** Starts one that passes all on, until after the test. */
async function nginx(stage: Stage, location: string): Promise<Site> {
  const port = await freePort();
  const folder = mkdtempSync(path.join(tmpdir(), 'minq-nginx-'));
  const at = (name: string) => path.join(folder, name);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const file = at('nginx.conf');
  writeFileSync(file, `
pid ${at('pid')};
error_log ${at('errors')};
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${at(name)};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    ${location}
  }
}`); // prettier-ignore
  const server = spawn('nginx', ['-c', file, '-p', folder, '-g', 'daemon off; master_process off;'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: `${process.env['PATH']}:/usr/sbin` },
  }); // prettier-ignore
  const ended = new Promise((resolve) => server.once('close', resolve));
  stage.onEnd(async () => {
    server.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  const through = siteAt(port, '127.0.0.1');
  await until(() => through.get('').catch(() => undefined), { what: 'nginx is there' });
  return through;
}

/** As a browser sends it. */
const fromPage = (through: Site) => ({
  Origin: `http://localhost:${through.port}`,
  'Sec-Fetch-Site': 'same-origin',
});

scene('its default Host is the upstream: an action is refused with the mend, and let in by allowedHosts', async (t, stage) => {
  const behind = await site(stage);
  const through = await nginx(stage, `location / { proxy_pass http://127.0.0.1:${behind.port}; }`);
  t.equal((await through.get('')).status, 200);
  t.equal((await through.get('api/queues')).status, 200);
  const pause = { action: 'pause', queue: stage.name };
  const refused = await through.act(pause, fromPage(through));
  t.equal(refused.status, 403);
  t.match(refused.json.error, /proxy_set_header Host \$http_host.*allowedHosts/);
  t.match(refused.json.error, `"http://localhost:${through.port}"`);

  const open = await site(stage, { allowedHosts: [`localhost:${through.port}`] });
  const named = await nginx(stage, `location / { proxy_pass http://127.0.0.1:${open.port}; }`);
  const origin = { ...fromPage(named), Origin: `http://localhost:${through.port}` };
  t.equal((await named.act(pause, origin)).status, 200);
  t.equal((await named.act({ ...pause, action: 'resume' }, { ...origin, Origin: 'http://localhost:1' })).status, 403);
  t.equal((await named.act({ ...pause, action: 'resume' }, { ...origin, Origin: 'https://evil.example' })).status, 403);
  await stage.queue().resume();
}); // prettier-ignore

scene('the pages below a path, in a browser: the login, its cookie, axe', async (t, stage) => {
  await stage.queue().enqueue('f');
  const token = 'a-token-of-some-length';
  const behind = await site(stage, { basePath: '/minq', token });
  const through = await nginx(stage, LINES.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${behind.port}`));
  const { page } = await view(stage, through.port, { hash: 'minq/' });
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await page.locator(`[data-queue="${stage.name}"]`).waitFor();
  await page.reload();
  await page.locator(`[data-queue="${stage.name}"]`).waitFor();
  await page.getByRole('button', { name: /^Pause/ }).click();
  await page.getByText('is paused: nothing new starts').waitFor();
  t.ok((await stage.queue().counts()).paused);
  t.same(await barriers(page), []);
  const [cookie] = await page.context().cookies();
  t.match(cookie, { name: 'minq_session', path: '/minq/api', httpOnly: true, sameSite: 'Strict' });
}); // prettier-ignore

scene('with the lines of the guide all works, mounted below a path', async (t, stage) => {
  const behind = await site(stage, { basePath: '/minq' });
  const through = await nginx(stage, LINES.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${behind.port}`));
  const mounted = siteAt(through.port, '127.0.0.1', '/minq');
  t.equal((await mounted.get('')).status, 200);
  t.equal((await mounted.get('main.js')).status, 200);
  const done = await mounted.act({ action: 'pause', queue: stage.name }, fromPage(through));
  t.equal(done.status, 200);
  await stage.queue().resume();
});
