/** As `garbage.test.ts`, with all there is. */
import { garbageIn } from './garbage.ts';

garbageIn(Infinity);
