/** The budget of an idle worker, over the time it is promised for. */
import t from 'tap';
import { idlesWithin } from './idle.ts';

t.setTimeout(120_000);

idlesWithin({ seconds: 30, most: 9 });
