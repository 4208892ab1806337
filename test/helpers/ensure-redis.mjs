/**
 * Before the tests: they start Redis servers of their own, so a redis-server must be installed. Installs it
 * where that needs no question (apt-get as root, Homebrew); elsewhere says in one line what to install.
 * Plain JavaScript without imports of ours: it also runs before `npm ci`.
 */
import { spawnSync } from 'node:child_process';

const runs = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
const installed = () => runs(process.env.MINQ_TEST_REDIS_SERVER ?? 'redis-server');

/** Standard output is the tests'. */
const run = (program, ...args) => spawnSync(program, args, { stdio: ['ignore', 2, 2] });

if (!installed()) {
  if (process.getuid?.() === 0 && runs('apt-get')) {
    process.env.DEBIAN_FRONTEND = 'noninteractive';
    run('apt-get', 'update', '--quiet');
    run('apt-get', 'install', '--yes', '--quiet', '--no-install-recommends', 'redis-server');
  } else if (runs('brew')) {
    run('brew', 'install', 'redis');
  }
  if (!installed()) {
    console.error(
      'The tests need redis-server: install it (apt-get install redis-server, brew install redis), or name a valkey-server in MINQ_TEST_REDIS_SERVER.',
    );
    process.exitCode = 1;
  }
}
