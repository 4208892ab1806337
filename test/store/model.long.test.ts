/** Random histories against a model, for longer. */
import { playHistories } from './model/histories.ts';

playHistories(40);
