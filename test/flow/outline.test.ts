/** How much of a flow is shown to people. */
import t from 'tap';
import { outlineOf, type FlowOutline } from '../../src/flow/outline.ts';
import type { FlowNode } from '../../src/flow/view.ts';

/** Groups within groups, with so many parts on each level; ids are their paths. */
const nested = (depth: number, parts: number, id = 'x'): FlowNode =>
  depth === 0
    ? { id, fn: 'f', queue: 'default', state: 'completed' }
    : { group: Array.from({ length: parts }, (_, i) => nested(depth - 1, parts, `${id}.${i}`)) };

function stepsOf(outline: FlowOutline): string[] {
  if ('id' in outline) return [outline.id];
  if ('more' in outline) return [];
  return ('chain' in outline ? outline.chain : outline.group).flatMap(stepsOf);
}

void t.test('a small flow is shown whole', async (t) => {
  const flow = nested(2, 20);
  t.same(outlineOf(flow, 'x.0.0'), flow);
});

void t.test(
  'a large one is not, however its groups are nested; the job in question is',
  async (t) => {
    const flow = nested(3, 20);
    const last = 'x.19.19.19';
    const outline = outlineOf(flow, last);
    const shown = stepsOf(outline);
    t.ok(shown.length >= 500 && shown.length < 600, `${shown.length} of 8,000`);
    t.equal(shown.at(-1), last);
    t.match(outline, {
      group: [{ group: [] }, { group: [] }, { more: 17, state: 'completed' }, {}],
    });
  },
);
