/** Garbage in arguments and stored values of every script, for longer. */
import { playGarbage } from './garbage.ts';

playGarbage(10_000);
