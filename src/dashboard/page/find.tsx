/** The way straight to a job, by its id, whichever queue it is on. */
import type { FindReply } from './api.js';
import { jobHref, withQuery } from './route.ts';
import { get } from './server.ts';
import { clip } from './format.ts';
import { h, type JSX } from './vendor/preact.js';
import { useRef, useState } from './vendor/hooks.js';

export function Find(): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const [said, setSaid] = useState('');
  const find = async (event: Event): Promise<void> => {
    event.preventDefault();
    const id = field.current!.value.trim();
    if (id === '') return;
    try {
      const { queues } = await get<FindReply>(
        withQuery('find', { id }),
        new AbortController().signal,
      );
      const [queue] = queues;
      setSaid(queue === undefined ? `No queue knows job ${clip(id, 60)}` : '');
      if (queue === undefined) return;
      field.current!.value = '';
      location.hash = jobHref(queue, id);
    } catch (error) {
      setSaid((error as Error).message);
    }
  };
  return (
    <form class="find" role="search" onSubmit={(event) => void find(event)}>
      <input
        ref={field}
        type="search"
        name="find"
        aria-label="Job id, on any queue"
        placeholder="Job id"
        autocomplete="off"
        spellcheck={false}
        onInput={() => setSaid('')}
      />
      <span class="said" role="status">
        <bdi>{said}</bdi>
      </span>
    </form>
  );
}
