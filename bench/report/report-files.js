// The files of a full run: for each Node a page with every table and two charts, and in README.md the short of it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { growthCharts } from './growth-charts.js';
import { formatOverview } from './overview.js';
import { formatTable } from './table.js';
import { formatTargets } from './targets.js';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const OWN_FOLDER = fileURLToPath(new URL('../results', import.meta.url));
const START = '<!-- figures: npm run bench -- --full writes what follows -->';
const END = '<!-- end of figures -->';

const majorOf = ({ node }) => /\d+/.exec(node)[0];

function heading({ node, machine, versions, rounds, seconds, workloads }) {
  const dates = Object.values(workloads)
    .map(({ date }) => date)
    .sort();
  const days = dates[0] === dates.at(-1) ? dates[0] : `${dates[0]} to ${dates.at(-1)}`;
  const others = Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
  return `${machine}, ${days}. Medians of ${rounds} rounds of ${seconds} s. ${others}; node ${node}.`;
}

function formatPage(results, charts) {
  const pictures = charts.map(({ name }) => `![Cost by ${name}](node-${majorOf(results)}-${name}.svg)`);
  const tables = Object.values(results.workloads).map(formatTable);
  const parts = [`# On Node ${results.node}`, heading(results), formatTargets(results), ...pictures, ...tables];
  return `${parts.join('\n\n')}`;
}

function formatSection(results) {
  const major = majorOf(results);
  const charts = growthCharts(results).map(({ name }) => `![Cost by ${name}](results/node-${major}-${name}.svg)`);
  const parts = [
    `### Node ${results.node}`,
    heading(results),
    formatOverview(results),
    formatTargets(results),
    ...charts,
  ];
  return `${parts.join('\n\n')}\n\nEvery figure: [results/node-${major}.md](results/node-${major}.md).`;
}

function writeReadme() {
  const files = readdirSync(OWN_FOLDER).filter((name) => /^node-\d+\.json$/.test(name));
  const all = files.map((name) => JSON.parse(readFileSync(join(OWN_FOLDER, name), 'utf8')));
  const sections = all.sort((one, other) => majorOf(one) - majorOf(other)).map(formatSection);
  const text = readFileSync(README, 'utf8');
  const [before, after] = [text.slice(0, text.indexOf(START)), text.slice(text.indexOf(END))];
  if (!text.includes(START) || !text.includes(END)) throw new Error(`${README} has no place for the figures`);
  writeFileSync(README, `${before}${START}\n\n${sections.join('\n\n')}\n\n${after}`);
}

/** README.md is written only where the results are in their own folder: `--json` elsewhere is a try. */
export function writeReport(results, folder) {
  const charts = growthCharts(results);
  for (const { name, svg } of charts) writeFileSync(join(folder, `node-${majorOf(results)}-${name}.svg`), svg);
  writeFileSync(join(folder, `node-${majorOf(results)}.md`), formatPage(results, charts));
  if (folder === OWN_FOLDER) writeReadme();
}
