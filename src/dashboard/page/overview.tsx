/** What is stuck, and why: for a look of ten seconds. */
import type { QueueReply, QueuesReply } from './api.js';
import { apiPath, get } from './client.ts';
import { usePoll } from './poll.ts';
import { QueueCards } from './queue-cards.tsx';
import { Fragment, h, type JSX } from './vendor/preact.js';

interface OverviewProps {
  queue: string;
  queues: QueuesReply;
  span: 'hour' | 'day';
}

export function Overview({ queue, queues, span }: OverviewProps): JSX.Element {
  const path = apiPath('queue', { queue, span });
  const chosen = usePoll<QueueReply>(path, (signal) => get(path, signal), 2_000);
  void chosen;
  return (
    <Fragment>
      <h1>Overview</h1>
      <QueueCards queues={queues} chosen={queue} />
    </Fragment>
  );
}
