// Mutation testing: `npm run mutation`, or of some rooms alone: `npm run mutation -- protocol closing`.
//
// StrykerJS changes one thing at a time in a copy of the code, and runs the specs of the room (spec/mutation/rooms.js)
// that come past it: who notices nothing has not tested it. It goes in two passes, and keeps what it has found in
// .mutation, so that only what has changed is tried again:
//
// - The first pass is quick: properties run for a moment, and time runs out early.
// - What survived it, or only ran out of time, is tried again, with all runs and patience (`--thorough` does only this).
//
// StrykerJS wants a newer Node than we do: it runs on Node 24 from the npm registry. Prints the score of each room and
// what survived; those that are equivalent are listed, with reasons, in spec/mutation/equivalent.json, and what is listed
// there and gone is told. `--report` only prints. Fails below 90 %.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ROOMS } from '../spec/mutation/rooms.js';
import { installNode } from './install-node.js';

const MIN_SCORE = 90;
const root = fileURLToPath(new URL('..', import.meta.url));
const flag = { type: 'boolean', default: false };
const { values, positionals } = parseArgs({
  options: { report: flag, thorough: flag },
  allowPositionals: true,
});
const rooms = positionals.length > 0 ? positionals : Object.keys(ROOMS);
const unknown = rooms.filter((room) => !(room in ROOMS));
if (unknown.length > 0) throw new RangeError(`no such room: ${unknown}`);

const resultsOf = (room) => `${root}.mutation/${room}.json`;
const read = (room) => JSON.parse(readFileSync(resultsOf(room), 'utf8'));

function run(node, room, pass) {
  const stryker = 'spec/mutation/node_modules/@stryker-mutator/core/bin/stryker.js';
  const { status } = spawnSync(node, [stryker, 'run', 'spec/mutation/stryker.config.js'], {
    cwd: root,
    env: { ...process.env, MUTATION_ROOM: room, MUTATION_PASS: pass },
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`StrykerJS ended with ${status}`);
}

/**
 * Whether it has to be tried again: it was not noticed; or only time ran out, which on a busy machine may have another
 * cause. (A loop that has gone round a hundred times too often needs no second look.)
 */
const isOpen = ({ status, statusReason = '' }) =>
  status === 'Survived' ||
  status === 'NoCoverage' ||
  (status === 'Timeout' && !statusReason.startsWith('Hit limit')) ||
  /timed out|interrupted after 0/i.test(statusReason);

/** Forgets what has to be tried again. */
function reopen(room) {
  const results = read(room);
  for (const file of Object.values(results.files)) file.mutants = file.mutants.filter((mutant) => !isOpen(mutant));
  writeFileSync(resultsOf(room), JSON.stringify(results));
}

/** A mutant as it is listed: where its line is, what stood there, and what stands there instead. */
function describe(path, source, { location: { start, end }, replacement, mutatorName }) {
  const lines = source.split('\n');
  const from = lines.slice(start.line - 1, end.line);
  from[from.length - 1] = from.at(-1).slice(0, end.column - 1);
  from[0] = from[0].slice(start.column - 1);
  const short = (text) => text.replace(/\s+/g, ' ').trim();
  return {
    file: path,
    line: short(lines[start.line - 1]),
    was: short(from.join('\n')),
    is: short(replacement ?? mutatorName),
    at: start.line,
  };
}

const equivalents = JSON.parse(readFileSync(`${root}spec/mutation/equivalent.json`, 'utf8')).flatMap(
  ({ mutants }) => mutants,
);
const isSame = (a, b) => a.file === b.file && a.line === b.line && a.was === b.was && a.is === b.is;
const isListed = (mutant) => equivalents.some((listed) => isSame(listed, mutant));

/** @returns the room's score in percent, without what is listed as equivalent, and with it as survived */
function report(room) {
  const counts = { found: 0, timeouts: 0, equivalent: 0 };
  const survivors = [];
  for (const [path, { source, mutants }] of Object.entries(read(room).files)) {
    const all = mutants.map((mutant) => describe(path, source, mutant));
    for (const listed of equivalents) {
      if (listed.file !== path || all.some((mutant) => isSame(listed, mutant))) continue;
      console.log(`${path}: listed as equivalent, and gone: ${listed.line}: ${listed.was}  ->  ${listed.is}`);
    }
    for (const mutant of mutants) {
      if (mutant.status === 'Ignored' || mutant.status === 'CompileError') continue;
      if (mutant.status === 'Timeout') counts.timeouts++;
      if (['Killed', 'Timeout', 'RuntimeError'].includes(mutant.status)) counts.found++;
      else {
        const described = describe(path, source, mutant);
        if (isListed(described)) counts.equivalent++;
        else survivors.push(described);
      }
    }
  }
  for (const { file, at, was, is } of survivors) console.log(`${file}:${at}: ${was}  ->  ${is}`);
  const all = counts.found + counts.equivalent + survivors.length;
  const percent = (part, whole) => (100 * part) / whole;
  const score = percent(counts.found, all - counts.equivalent);
  console.log(
    `${room}: ${score.toFixed(1)} %: of ${all} mutants ${counts.found} found (${counts.timeouts} by time), ` +
      `${survivors.length} survived, ${counts.equivalent} equivalent ` +
      `(${percent(counts.found, all).toFixed(1)} % with those)\n`,
  );
  return score;
}

if (!values.report) {
  const node = installNode('24');
  for (const room of rooms) {
    if (!values.thorough) run(node, room, 'quick');
    reopen(room);
    run(node, room, 'thorough');
  }
}
const scores = rooms.filter((room) => existsSync(resultsOf(room))).map(report);
if (scores.some((score) => score < MIN_SCORE)) process.exitCode = 1;
