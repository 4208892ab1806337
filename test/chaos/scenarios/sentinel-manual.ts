/** Scenario 11: an operator has the sentinels make another the master. */
import { startSentinels } from '../../helpers/sentinel.ts';
import { withServers } from '../failover.ts';
import type { Scenario } from '../scenario.ts';
import { replaced } from '../sentinels.ts';

export default {
  name: 'sentinel-manual',
  what: 'Sentinel: a failover by hand (SENTINEL FAILOVER) under load',
  libraries: ['minq'],
  run: (ground) =>
    withServers(startSentinels, (servers) => replaced(ground, servers, () => servers.failover())),
} satisfies Scenario;
