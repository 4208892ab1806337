/** Scenario 11: a master that sentinels watch hangs, and comes back. */
import { startSentinels } from '../../helpers/sentinel.ts';
import { withServers } from '../failover.ts';
import type { Scenario } from '../scenario.ts';
import { replaced } from '../sentinels.ts';
import { sleep } from '../stand.ts';

const HANGS_MS = 6_000;

export default {
  name: 'sentinel-hung',
  what: 'Sentinel: the master hangs for 6 s (SIGSTOP) under load, a replica is promoted',
  libraries: ['minq'],
  run: (ground) =>
    withServers(startSentinels, (servers) =>
      replaced(ground, servers, async (master) => {
        master.signal('SIGSTOP');
        await sleep(HANGS_MS);
        master.signal('SIGCONT');
      }),
    ),
} satisfies Scenario;
