// The benchmark. See USAGE in command-line.js, and README.md for how it measures.
import { parseCommandLine, USAGE } from './command-line.js';
import { PEER_NAMES } from './peers.js';
import { Record } from './report/record.js';
import { formatTable } from './report/table.js';
import { formatTargets } from './report/targets.js';
import { runWorkload } from './run-workload.js';
import { WORKLOADS } from './workloads.js';

const SMOKE_AT_A_TIME = 4;

function list() {
  console.log(`workloads\n  ${WORKLOADS.map(({ name }) => name).join('\n  ')}`);
  console.log(`peers\n  ${PEER_NAMES.join('\n  ')}`);
}

/** One line that is written over, where somebody looks. */
function showProgress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function noteFailures({ rows }) {
  if (rows.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

async function run(options) {
  const record = new Record(options);
  const startedAt = performance.now();
  for (const [index, workload] of options.workloads.entries()) {
    const place = `${index + 1} of ${options.workloads.length}, ${Math.round((performance.now() - startedAt) / 1000)} s`;
    const summary = await runWorkload(workload, options, (text) => showProgress(`[${place}] ${text}`));
    showProgress('');
    console.log(formatTable(summary));
    record.add(summary);
    noteFailures(summary);
  }
  console.log(formatTargets(record.results));
  record.report();
}

function formatOutcome({ peer, failure, unavailable }) {
  if (failure !== undefined) return `${peer} FAILED: ${failure}`;
  return unavailable === undefined ? peer : `${peer} not measured: ${unavailable}`;
}

/** Nothing is timed here, so several may run at a time. */
async function smoke(options) {
  const waiting = [...options.workloads];
  async function work() {
    for (let workload = waiting.shift(); workload !== undefined; workload = waiting.shift()) {
      const summary = await runWorkload(workload, options, () => {});
      console.log(`${workload.name.padEnd(32)} ${summary.rows.map(formatOutcome).join(', ')}`);
      noteFailures(summary);
    }
  }
  await Promise.all(Array.from({ length: SMOKE_AT_A_TIME }, work));
}

try {
  const options = parseCommandLine(process.argv.slice(2));
  if (options.isHelp) console.log(USAGE);
  else if (options.isList) list();
  else if (options.isSmoke) await smoke(options);
  else await run(options);
} catch (error) {
  if (!(error instanceof RangeError) && !error.code?.startsWith('ERR_PARSE_ARGS')) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
