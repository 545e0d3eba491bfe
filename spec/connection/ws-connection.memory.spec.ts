/**
 * Memory stays where it is, however much passes and however slowly it is read. The scripts that soak the package for
 * minutes are run here for a second each, over dist/, in processes of their own. Watched is what lives after a collection:
 * what is resident depends on when the collector finds time, and so on what else the machine does.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

async function run(script: string, args: readonly string[]): Promise<{ status: number | null; output: string }> {
  const child = spawn(process.execPath, [`${root}scripts/${script}`, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill());
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, output };
}

// Processes that collect garbage over and over are slow where the machine is busy.
vi.setConfig({ testTimeout: 60_000 });

const MIB = 1024 * 1024;

describe('a message of 256 MB, there and back', () => {
  it.each([
    ['direct', 'client'],
    ['web', 'webClient'],
    ['proxy', 'client'],
    ['web-socket-stream', 'messageClient'],
  ])('grows no process by more than 32 MiB: %s', async (way, client) => {
    const { status, output } = await run('soak-message.js', ['--live', '--bytes', '256e6', '--through', way]);
    expect({ status, output }).toMatchObject({ status: 0 });
    expect(output).toContain(`| ${way} | ${client} |`);
  });

  it('is really watched: the script fails where more is demanded than can be', async () => {
    const args = ['--live', '--bytes', '20e6', '--from', '10e6', '--through', 'direct', '--max-growth', '-1000'];
    expect(await run('soak-message.js', args)).toMatchObject({ status: 1 });
  });
});

describe('what nobody reads, and what is read slowly', () => {
  it.each([
    ['client', 'messages'],
    ['client', 'WebSocketStream'],
    ['server', 'frames'],
  ])('grows no process by more than 16 MiB, and nothing is lost: the %s reads by %s', async (reader, face) => {
    const volume = ['--messages', '30000', '--bytes', `${12 * MIB}`, '--sleep', '1', '--warm-up', `${16 * MIB}`];
    const { status, output } = await run('soak-slow-readers.js', [
      '--live',
      '--reader',
      reader,
      '--only',
      face,
      ...volume,
    ]);
    expect({ status, output }).toMatchObject({ status: 0 });
    expect(output.match(/\| nothing \|/g)).toHaveLength(2);
  });

  it('is really watched: the script fails where more is demanded than can be', async () => {
    const volume = ['--messages', '2000', '--bytes', '0', '--warm-up', `${MIB}`, '--max-growth', '-1000'];
    const args = ['--live', '--reader', 'client', '--only', 'frames', ...volume];
    expect(await run('soak-slow-readers.js', args)).toMatchObject({ status: 1 });
  });
});
