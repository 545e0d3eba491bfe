// What was measured, with where and when. A full run is kept in a file, workload by workload, so that an interrupted one
// loses nothing and a part can be measured again.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isPinned } from '../start-process.js';
import { writeReport } from './report-files.js';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const PEER_PACKAGES = ['ws', 'bufferutil', 'undici', 'faye-websocket', 'websocket', 'bun', 'deno'];
const UWS = '@trufflesuite/uws-js-unofficial';

function versionOf(folder) {
  const manifest = `${folder}/package.json`;
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : 'none';
}

function describeMachine() {
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpus()[0].model.trim()}, ${gib} GiB, ${isPinned ? 'pinned' : 'not pinned'} to cores`;
}

function versions() {
  const packages = [...PEER_PACKAGES, UWS].map((name) => [
    name === UWS ? 'uWebSockets.js' : name,
    versionOf(path(`../node_modules/${name}`)),
  ]);
  return { wspipe: versionOf(path('../..')), ...Object.fromEntries(packages) };
}

const today = () => new Date().toISOString().slice(0, 10);

export class Record {
  results;
  #file;
  #isFull;

  constructor({ node, json, isFull, rounds, timing }) {
    const nodeVersion = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
    const major = /^v(\d+)/.exec(nodeVersion)[1];
    this.#isFull = isFull;
    this.#file = json ?? (isFull ? path(`../results/node-${major}.json`) : undefined);
    const kept = isFull && existsSync(this.#file) ? JSON.parse(readFileSync(this.#file, 'utf8')).workloads : {};
    const run = { rounds, seconds: timing.windowMs / 1000 };
    this.results = { node: nodeVersion, machine: describeMachine(), versions: versions(), ...run, workloads: kept };
  }

  add({ workload, rows }) {
    this.results.workloads[workload.name] = { date: today(), workload, rows };
    if (this.#file === undefined) return;
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, `${JSON.stringify(this.results, null, 1)}\n`);
  }

  /** Brings the tables, the charts and the README up to date. */
  report() {
    if (this.#isFull) writeReport(this.results, dirname(this.#file));
  }
}
