/** A flow of any size, as much of it as a person can take in: of many parts in one state, most are told by number. */
import type { FlowNode, FlowStep } from './view.ts';

export type FlowOutline =
  | FlowStep
  | { chain: FlowOutline[] }
  | { group: FlowOutline[] }
  /** So many parts were left out here, all in this state. */
  | { more: number; state: FlowStep['state'] };

/** Of the parts of a group or chain that are in the same state, so many are shown, and this many where there are more. */
const MOST_ALIKE = 20;
const EXAMPLES = 2;
/** Steps that are shown in all, however groups are nested. */
const MOST_STEPS = 500;

/**
 * @param me id of the step it is all about: always shown
 * @param all shows as many parts as it can, alike or not
 */
export const outlineOf = (node: FlowNode, me: string, all = false): FlowOutline =>
  outlined(node, me, {
    steps: MOST_STEPS,
    alike: all ? MOST_STEPS : MOST_ALIKE,
    examples: all ? MOST_STEPS : EXAMPLES,
  });

function outlined(
  node: FlowNode,
  me: string,
  left: { steps: number; readonly alike: number; readonly examples: number },
): FlowOutline {
  if ('id' in node) {
    left.steps--;
    return node;
  }
  const chained = 'chain' in node;
  const parts = (chained ? node.chain : node.group).map((part) => ({ part, state: stateOf(part) }));
  // Of many at once, one looks for those that failed.
  if (!chained && parts.length > MOST_ALIKE) parts.sort((a, b) => rank(a.state) - rank(b.state));
  const total = new Map<FlowStep['state'], number>();
  for (const { state } of parts) total.set(state, (total.get(state) ?? 0) + 1);
  const shown = new Map<FlowStep['state'], number>();
  const rest = new Map<FlowStep['state'], { more: number; state: FlowStep['state'] }>();
  const outline: FlowOutline[] = [];
  for (const { part, state } of parts) {
    const before = shown.get(state) ?? 0;
    const most = total.get(state)! > left.alike && state !== 'failed' ? left.examples : left.alike;
    if ((before < most && left.steps > 0) || holds(part, me)) {
      if (before < most) shown.set(state, before + 1);
      outline.push(outlined(part, me, left));
      continue;
    }
    // Those left out stand together, where the first of them would.
    let more = rest.get(state);
    if (!more) {
      rest.set(state, (more = { more: 0, state }));
      outline.push(more);
    }
    more.more++;
  }
  return chained ? { chain: outline } : { group: outline };
}

const rank = (state: FlowStep['state']): number => (state === 'failed' ? 0 : 1);

/** What is said of a part first: that it went wrong, then that it runs, or will. */
const TELLING = [
  'failed',
  'cancelled',
  'active',
  'queued',
  'scheduled',
  'waiting',
  'unknown',
] as const satisfies FlowStep['state'][];

/** How many of them are in each state, what went wrong first. */
export function statesOf(steps: readonly FlowStep[]): Record<string, number> {
  const counted = [...TELLING, 'completed' as const].map(
    (state) => [state, steps.filter((step) => step.state === state).length] as const,
  );
  return Object.fromEntries(counted.filter(([, many]) => many > 0));
}

function stateOf(node: FlowNode): FlowStep['state'] {
  if ('id' in node) return node.state;
  const states = new Set(('chain' in node ? node.chain : node.group).map(stateOf));
  return TELLING.find((state) => states.has(state)) ?? 'completed';
}

function holds(node: FlowNode, id: string): boolean {
  if ('id' in node) return node.id === id;
  return ('chain' in node ? node.chain : node.group).some((part) => holds(part, id));
}
