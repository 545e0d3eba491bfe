/**
 * Law: docs/guide/command-line.md tells the truth. Its shell examples run as written and print what they say they print; its
 * tables name the options and exit codes that there are.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CONNECT_OPTIONS } from '../../lib/cli/connect/connect-arguments.ts';
import { PROXY_OPTIONS } from '../../lib/cli/proxy/proxy-arguments.ts';
import { SERVE_OPTIONS } from '../../lib/cli/serve/serve-arguments.ts';
import { boundServer } from '../support/endpoints.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = await readFile(`${root}docs/guide/command-line.md`, 'utf8');
const examples = [...text.matchAll(/<!-- shell: ([\w-]+) -->\n```sh\n([\s\S]*?)```/g)].map(([, name, source]) => ({
  name: name!,
  lines: source!.split('\n').filter((line) => line !== '' && !line.startsWith('# prints: ')),
  prints: [...source!.matchAll(/^# prints: (.*)$/gm)].map((match) => match[1]!),
}));

/** Finds ports that nobody has: all at once, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Runs lines of shell, in which `wspipe` is the built command. */
function shell(lines: readonly string[], folder: string): ChildProcess & { output: () => string } {
  const define = `wspipe() { "${process.execPath}" "${root}dist/cli/main.js" "$@"; }`;
  const child = spawn('sh', ['-e', '-c', [define, ...lines].join('\n')], { cwd: folder, detached: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = once(child, 'close');
  onTestFinished(async () => {
    // All that the shell has started: the group is its own.
    if (child.exitCode === null) process.kill(-child.pid!, 'SIGKILL');
    child.stdin.destroy();
    await ended;
  });
  return Object.assign(child, { output: () => output });
}

describe('docs/guide/command-line.md', () => {
  it.for(examples)('$name runs as written', { timeout: 30_000 }, async ({ lines, prints }) => {
    const echo = await boundServer();
    void echo.runEcho();
    const folder = await mkdtemp(join(tmpdir(), 'wspipe-shell-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const ports = [echo.port, ...(await freePorts(4))];
    const settle = (line: string): string =>
      line.replace(/\b808([0-4])\b/g, (_, index) => String(ports[Number(index)]));
    for (const line of lines.filter((candidate) => candidate.endsWith(' &'))) {
      const server = shell(
        [
          `exec ${settle(line)
            .replace(/^wspipe/, `"${process.execPath}" "${root}dist/cli/main.js"`)
            .slice(0, -2)}`,
        ],
        folder,
      );
      await expect.poll(server.output, { timeout: 10_000 }).toMatch(/^(?:ws|tcp):\/\//);
    }
    const run = shell(lines.filter((line) => !line.endsWith(' &')).map(settle), folder);
    const [code] = await once(run, 'close');
    expect({ code, lines: run.output().trimEnd().split('\n') }).toEqual({ code: 0, lines: prints.map(settle) });
  });

  it('has an example of each kind', () => {
    expect(examples.map(({ name }) => name)).toEqual(expect.arrayContaining(['lines', 'bytes', 'serve', 'tunnel']));
    expect(examples.every(({ prints }) => prints.length > 0)).toBe(true);
  });

  it.each([
    ['connect', CONNECT_OPTIONS],
    ['serve', SERVE_OPTIONS],
    ['proxy', PROXY_OPTIONS],
  ])('names each option of %s', (_command, options) => {
    for (const [name, { short }] of Object.entries(options)) {
      expect(text).toContain(`\`--${name}`);
      if (short !== undefined) expect(text).toContain(`\`-${short}\`, \`--${name}`);
    }
  });

  it('names each exit code', () => {
    const table = text.slice(text.indexOf('## Exit codes'), text.indexOf('## Recipes'));
    const codes = [...table.matchAll(/^\| ([\d, ]+?) +\|/gm)].flatMap(([, cell]) => cell!.split(', '));
    expect(codes).toEqual(['0', '1', '2', '3', '4', '130', '143']);
  });
});
