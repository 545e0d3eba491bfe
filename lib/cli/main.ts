#!/usr/bin/env node
/** The command `wspipe` as the shell starts it. */
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2), process);
