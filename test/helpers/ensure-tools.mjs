/**
 * Before the tests: they start Redis servers of their own, and open the dashboard in a real browser and behind a real
 * proxy, so redis-server, chromium and nginx must be installed. Installs them where that needs no question (apt-get as root, Homebrew); elsewhere
 * says in a line what to install. Plain JavaScript without imports of ours: it also runs before `npm ci`.
 */
import { spawnSync } from 'node:child_process';

/** Whether there is such a program. (nginx knows `-v` only.) */
const runs = (program) =>
  spawnSync(program, [program.endsWith('nginx') ? '-v' : '--version'], { stdio: 'ignore' })
    .status === 0;

/** Standard output is the tests'. */
const run = (program, ...args) => spawnSync(program, args, { stdio: ['ignore', 2, 2] });

const TOOLS = [
  {
    programs: [process.env.MINQ_TEST_REDIS_SERVER ?? 'redis-server'],
    apt: 'redis-server',
    brew: ['redis'],
    otherwise: 'or name a valkey-server in MINQ_TEST_REDIS_SERVER',
  },
  {
    programs: process.env.MINQ_TEST_CHROMIUM
      ? [process.env.MINQ_TEST_CHROMIUM]
      : ['chromium', 'chromium-browser', 'google-chrome'],
    apt: 'chromium',
    brew: ['--cask', 'chromium'],
    otherwise: 'or name a Chrome in MINQ_TEST_CHROMIUM',
  },
  {
    programs: ['nginx', '/usr/sbin/nginx'],
    apt: 'nginx-light',
    brew: ['nginx'],
    otherwise: 'one test is of a dashboard behind it',
  },
];

const missing = () => TOOLS.filter(({ programs }) => !programs.some(runs));

if (missing().length > 0) {
  if (process.getuid?.() === 0 && runs('apt-get')) {
    process.env.DEBIAN_FRONTEND = 'noninteractive';
    run('apt-get', 'update', '--quiet');
    const packages = missing().map(({ apt }) => apt);
    run('apt-get', 'install', '--yes', '--quiet', '--no-install-recommends', ...packages);
  } else if (runs('brew')) {
    for (const { brew } of missing()) run('brew', 'install', ...brew);
  }
  for (const { apt, brew, otherwise } of missing()) {
    console.error(
      `The tests need ${apt}: install it (apt-get install ${apt}, brew install ${brew.join(' ')}), ${otherwise}.`,
    );
    process.exitCode = 1;
  }
}
