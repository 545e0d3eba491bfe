/** Law: the examples of docs/ that need a broker compile, against the real types of its client too, and run as written. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { startBroker } from '../support/brokers.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = `${root}spec/brokers/node_modules/examples/`;
const text = readFileSync(`${root}docs/guide/backplanes.md`, 'utf8');

function exampleOf(kind: string): string {
  const [, source = ''] =
    new RegExp(`<!-- example: backplane-${kind} -->\\n+\`\`\`ts\\n([\\s\\S]*?)\`\`\``).exec(text) ?? [];
  expect(source).not.toBe('');
  return source;
}

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}package.json`, '{ "type": "module" }');
  for (const kind of ['redis', 'nats']) writeFileSync(`${folder}${kind}.ts`, `${exampleOf(kind)}\nexport {};\n`);
  const compilerOptions = {
    ...{ target: 'es2022', lib: ['es2023', 'esnext.disposable'], module: 'nodenext', types: ['node'], strict: true },
    ...{ exactOptionalPropertyTypes: true, skipLibCheck: true, typeRoots: [`${root}node_modules/@types`] },
  };
  writeFileSync(`${folder}tsconfig.json`, JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  const { stdout } = spawnSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', folder], {
    encoding: 'utf8',
  });
  expect(stdout).toBe('');
}, 60_000);

it.each([
  ['redis', 'redis://localhost:6379'],
  ['nats', 'nats://localhost:4222'],
] as const)('the example of %s runs as written', async (kind, url) => {
  const broker = await startBroker(kind);
  const path = `${folder}${kind}.js`;
  const script = readFileSync(path, 'utf8');
  expect(script).toContain(url);
  writeFileSync(path, script.replace(url, broker.url));
  const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  const status = await new Promise((resolve) => child.once('close', resolve));
  const prints = [...exampleOf(kind).matchAll(/^\/\/ prints: (.*)$/gm)].map((match) => match[1]);
  expect({ status, lines: output.trim().split('\n') }).toEqual({ status: 0, lines: prints });
});
