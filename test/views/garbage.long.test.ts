/** As `garbage.test.ts`, with more of them. */
import { garbageIn } from './garbage.ts';

garbageIn(60);
