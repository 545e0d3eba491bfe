// The benchmark: peers take turns, round by round, in one run, and medians are told.
import { parseCommandLine, USAGE } from './command-line.js';
import { measure } from './measure.js';
import { SERVERS } from './peers.js';
import { summarize } from './report/summary.js';
import { formatTable } from './report/table.js';
import { WORKLOADS } from './workloads.js';

const options = parseCommandLine(process.argv.slice(2));

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function runWorkload(workload) {
  const rounds = new Map(options.peers.map((peer) => [peer, []]));
  const failures = new Map();
  for (let round = 1; round <= options.rounds; round++) {
    for (const peer of options.peers) {
      if (failures.has(peer)) continue;
      progress(`${workload.name}, round ${round} of ${options.rounds}: ${peer}`);
      try {
        rounds.get(peer).push(await measure(peer, workload, options));
      } catch (error) {
        failures.set(peer, error.message);
      }
    }
  }
  progress('');
  return summarize(workload, rounds, failures);
}

if (options.help) console.log(USAGE);
else if (options.list) {
  console.log(`workloads\n  ${WORKLOADS.map(({ name }) => name).join('\n  ')}`);
  console.log(`peers\n  ${Object.keys(SERVERS).join('\n  ')}`);
} else {
  for (const workload of options.workloads) {
    const summary = await runWorkload({
      ...workload,
      ...(options.connections && { connections: options.connections }),
    });
    console.log(formatTable(summary));
  }
}
