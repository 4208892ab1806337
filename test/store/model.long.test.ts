/** Random histories against a model, for a minute. */
import { playHistories } from './model/histories.ts';

playHistories(60);
