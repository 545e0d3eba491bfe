/** The process that listens to nothing (sessions.ts), for some seconds. The long run is `npm run fuzz:sessions`. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

// The compiler and twelve hundred sessions, where the machine is busy.
vi.setConfig({ testTimeout: 120_000 });

async function run(args: readonly string[]): Promise<{ status: number | null; output: string }> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill());
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, output };
}

it('ends no process that listens to nothing: random and mutated sessions, and all known attacks, in both roles', async () => {
  const compiled = await run(['node_modules/typescript/bin/tsc', '-p', 'spec/fuzz/tsconfig.json']);
  expect(compiled).toMatchObject({ status: 0 });
  const script = ['--expose-gc', '.fuzz/spec/fuzz/sessions.js'];
  const { status, output } = await run([...script, '--sessions', '1200', '--seed', '6455']);
  expect({ status, output }).toMatchObject({ status: 0 });
  expect(output).toContain('nothing broke, nothing is left');
  // It would say so: the same run, with less memory than there is.
  const watched = await run([...script, '--sessions', '80', '--max-growth=-1000']);
  expect(watched).toMatchObject({ status: 1, output: expect.stringContaining('memory grew') });
});
