/** Chords while workers are killed, again and again. */
import t from 'tap';
import { killedChords } from './chords.ts';

t.setTimeout(180_000);

killedChords(12);
