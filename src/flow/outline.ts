/** A flow of any size, as much of it as a person can take in: parts in the same state are told by their number. */
import type { FlowStep } from './view.ts';

export type FlowOutline =
  | FlowStep
  | { chain: FlowOutline[] }
  | { group: FlowOutline[] }
  /** Parts left out, all in this state. */
  | { more: number; state: FlowStep['state'] };
