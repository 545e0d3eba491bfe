/**
 * The code blocks of README and docs/: found, compiled against the built package, and started as programs of their own.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { TEST_CERT, TEST_KEY } from '../support/certificate.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = `${root}.examples/`;
/** The ports of the documents: 8080 is that of the program, 8081 one where somebody else is. */
const PORTS = /\b808[01]\b/g;
/** What runs for longer hangs. */
const LIMIT_MS = 20_000;

export interface Example {
  readonly name: string;
  readonly source: string;
  readonly prints: string[];
}

/** All of them, in the order of the documents. */
export function readExamples(): Example[] {
  const names = readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' });
  const documents = ['README.md', ...names.map((name) => `docs/${name}`)];
  return documents.filter((path) => path.endsWith('.md')).flatMap(parseExamples);
}

function parseExamples(path: string): Example[] {
  const text = readFileSync(`${root}${path}`, 'utf8');
  return [...text.matchAll(/(?:<!-- example: ([\w-]+) -->\n)?```ts\n([\s\S]*?)```/g)].map(([, name, source = '']) => {
    if (name === undefined) throw new Error(`${path} has a code block without a name:\n${source}`);
    return { name, source, prints: [...source.matchAll(/^\/\/ prints: (.*)$/gm)].map((match) => match[1] ?? '') };
  });
}

/** Compiles them in a folder of the repository, so that they find the package by its name. */
export function compileExamples(examples: readonly Example[]): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}key.pem`, TEST_KEY);
  writeFileSync(`${folder}cert.pem`, TEST_CERT);
  for (const { name, source } of examples) writeFileSync(`${folder}${name}.ts`, `${source}\nexport {};\n`);
  const compilerOptions = {
    ...{ target: 'es2022', lib: ['es2023', 'esnext.disposable'], module: 'nodenext', types: ['node'], strict: true },
    ...{ outDir: 'out', rootDir: '.', skipLibCheck: false, typeRoots: ['../node_modules/@types'] },
  };
  writeFileSync(`${folder}tsconfig.json`, JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  const { stdout } = spawnSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', folder]);
  if (stdout.length > 0) throw new Error(`The examples do not compile:\n${stdout}`);
}

export function removeExamples(): void {
  rmSync(folder, { recursive: true, force: true });
}

/** A port that nobody has. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A program that was started. */
export interface Run {
  readonly child: ChildProcess;
  readonly url: string;
  /** Where the documents say 8081. */
  readonly otherPort: number;
  readonly ended: Promise<number | null>;
  output(): string;
}

/** Starts an example, with `port` where the documents say 8080. */
export async function start(name: string, port: number): Promise<Run> {
  let otherPort = await freePort();
  // Nobody has the program's port yet either: it may be found once more.
  while (otherPort === port) otherPort = await freePort();
  const script = readFileSync(`${folder}out/${name}.js`, 'utf8')
    .replace(PORTS, (found) => String(found === '8080' ? port : otherPort))
    .replace(/'(key|cert)\.pem'/g, `'${folder}$1.pem'`);
  writeFileSync(`${folder}out/${name}.js`, script);
  const child = spawn(process.execPath, [`${folder}out/${name}.js`], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: `${folder}cert.pem` },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, url: `ws://localhost:${port}`, otherPort, ended, output: () => output };
}
