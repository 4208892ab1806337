/** Scenario 11: a master that sentinels watch dies. */
import { startSentinels } from '../../helpers/sentinel.ts';
import { withServers } from '../failover.ts';
import type { Scenario } from '../scenario.ts';
import { replaced } from '../sentinels.ts';

export default {
  name: 'sentinel-killed',
  what: 'Sentinel: the master is killed under load, a replica is promoted',
  libraries: ['minq'],
  run: (ground) =>
    withServers(startSentinels, (servers) => replaced(ground, servers, (master) => master.kill())),
} satisfies Scenario;
