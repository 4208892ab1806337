/** Hostile texts in a wide window, where more of them shows. */
import { showsAsText } from './hostile.ts';

showsAsText(1280);
