/**
 * Fuzzes as long as one wants: `npm run fuzz -- --minutes 10`.
 *
 * `--seed N` repeats a run, `--cases N` ends after so many inputs, `--target parser` tries one part alone (parser,
 * decoder, connection, inflater, compressed, request, response). An input that fails is printed, and kept in spec/corpus, which the suite
 * replays. The exit code is 1 where one failed.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type FuzzCase, makeCase, TARGETS } from './fuzz-case.ts';
import { Random } from './random.ts';
import { tryCase } from './targets.ts';
import { isWsInstalled } from './ws-receiver.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { minutes: text, seed: text, cases: text, target: text } });
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
const maxCases = Number(values.cases ?? Number.POSITIVE_INFINITY);
// A number of inputs is the same number on any machine.
const endAt =
  Date.now() + Number(values.minutes ?? (values.cases === undefined ? 1 : Number.POSITIVE_INFINITY)) * 60_000;
const targets = TARGETS.filter((target) => values.target === undefined || values.target === target);
if (targets.length === 0) throw new RangeError(`--target must be one of ${TARGETS.join(', ')}`);

const random = new Random(seed);
let current: FuzzCase | undefined;
let failures = 0;
let tried = 0;

function report(error: unknown): void {
  failures++;
  const kept = { ...current, note: `seed ${seed}, case ${tried}: ${String(error).split('\n')[0]}` };
  const id = createHash('sha1').update(`${current?.bytes} ${current?.cuts}`).digest('hex').slice(0, 10);
  const path = `spec/corpus/${current?.target}-${id}.json`;
  writeFileSync(path, `${JSON.stringify(kept, null, 2)}\n`);
  console.error(`FAILED ${path} (--seed ${seed}, case ${tried})\n`, error);
}
process.on('uncaughtException', report);
process.on('unhandledRejection', report);

console.log(`seed ${seed}; ws ${isWsInstalled ? 'judges too' : 'is not installed (npm ci --prefix spec/fuzz)'}`);
let saidAt = Date.now();
while (Date.now() < endAt && tried < maxCases && failures < 10) {
  tried++;
  current = makeCase(random, targets[tried % targets.length]!);
  await tryCase(current).catch(report);
  if (Date.now() - saidAt < 60_000) continue;
  saidAt = Date.now();
  console.log(`${tried} inputs, ${failures} failures, ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB resident`);
}
console.log(`${tried} inputs, ${failures} failures (--seed ${seed} --cases ${tried})`);
process.exitCode = failures === 0 ? 0 : 1;
