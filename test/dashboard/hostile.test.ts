/** Hostile texts in a narrow window, where they have the least room. (In a wide one: `hostile.long.test.ts`.) */
import { showsAsText } from './hostile.ts';

showsAsText(360);
