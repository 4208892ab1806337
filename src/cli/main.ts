#!/usr/bin/env node
/** `npx minq <command>` as a process. */
import { setTimeout } from '../job/globals.ts';
import { commandLine } from './commands.ts';

// Whoever reads our output may go away; a worker's jobs go on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.exitCode = await commandLine(process.argv.slice(2));
// What a jobs file left open (a timer, a pool), or a job that ignores its signal, must not keep the process.
setTimeout(() => process.exit(), 100).unref();
