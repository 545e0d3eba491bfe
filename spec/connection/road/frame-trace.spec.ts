/** The trace is decided by the environment of a process, so it is looked at in processes of their own, over dist/. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { formatFrame, isTracing } from '../../../lib/connection/road/frame-trace.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { FrameParser } from '../../../lib/protocol/frame-parser.ts';
import { naiveEncode } from '../../support/naive-frames.ts';

describe('the trace of a frame', () => {
  it.each<[string, WsFrame]>([
    ['text 2 bytes fin', WsFrame.text('hi')],
    ['binary 0 bytes more', new WsFrame(2, new Uint8Array(0), { isFinal: false })],
    ['continuation 3 bytes fin', new WsFrame(0, new Uint8Array(3))],
    ['text 3 bytes fin rsv 100', new WsFrame(1, new Uint8Array(3), { rsv: 4 })],
    ['binary 3 bytes more rsv 001', new WsFrame(2, new Uint8Array(3), { rsv: 1, isFinal: false })],
    ['ping 4 bytes', WsFrame.ping('abcd')],
    ['pong 0 bytes', WsFrame.pong()],
    ['close 1005', WsFrame.close()],
    ['close 1000', WsFrame.close(1000)],
    ['close 4001 "no \\"more\\"\\n"', WsFrame.close(4001, 'no "more"\n')],
  ])('is "%s"', (line, frame) => {
    expect(formatFrame(frame)).toBe(line);
  });

  it('tells what is left of a frame that comes in slices', () => {
    const parser = new FrameParser({ role: 'client', maxSliceBytes: 4 });
    parser.push(naiveEncode(2, new Uint8Array(10), { isFinal: true, isMasked: false }));
    const lines: string[] = [];
    for (let frame = parser.next(); frame !== null; frame = parser.next()) lines.push(formatFrame(frame));
    expect(lines).toEqual([
      'binary 4 bytes of 10 that are left',
      'continuation 4 bytes of 6 that are left',
      'continuation 2 bytes fin',
    ]);
  });
});

const DIST = new URL('../../../dist/index.js', import.meta.url);

/** Runs a program over dist/, which has `createPair`. @returns what is traced, without the number of the process */
function trace(body: string, debug: string): string[] {
  const program = `import { createPair } from ${JSON.stringify(DIST.href)};\n${body}`;
  const env = { ...process.env, NODE_DEBUG: debug };
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { env, encoding: 'utf8' });
  return stderr.split('\n').flatMap((line) => (line === '' ? [] : [line.replace(/^WSPIPE \d+: /, '')]));
}

/** The lines of one end, which has a number of its own. */
function linesOf(role: string, lines: readonly string[]): string[] {
  const own = lines.filter((line) => line.includes(` ${role} `));
  expect(new Set(own.map((line) => line.split(' ')[0])).size).toBe(1);
  return own.map((line) => line.replace(/^#\d+ \w+ /, ''));
}

describe('NODE_DEBUG=wspipe', () => {
  const talk = `
    const { client, server } = createPair({ perMessageDeflate: true, protocol: 'chat' });
    await client.sendText('a secret '.repeat(100), { compress: true });
    await server.recvFrame();
    await server.sendPing('x');
    await server.sendText('short', { compress: false });
    await client.recvFrame();
    const ended = client.recvFrame();
    await server.close(4000, 'done');
    await ended;
    await client.closeInfo;`;

  it('is off where the environment does not say so', () => {
    expect(isTracing).toBe(false);
    expect(trace(talk, 'net-not')).toEqual([]);
  });

  it('traces the frames of both ends as they are on the wire, and never what they say', () => {
    const lines = trace(talk, 'wspipe');
    expect(lines.join()).not.toContain('secret');
    const told = lines.map((line) => line.replace(/permessage.*/, '…').replace(/\d+ bytes fin rsv/, 'n bytes fin rsv'));
    expect(linesOf('client', told)).toEqual([
      'open chat …',
      '> text n bytes fin rsv 100',
      '< ping 1 bytes',
      '> pong 1 bytes',
      '< text 5 bytes fin',
      '< close 4000 "done"',
      '> close 4000 "done"',
      'closed 4000 "done", clean, remote',
    ]);
    expect(linesOf('server', told)).toEqual([
      'open chat …',
      '< text n bytes fin rsv 100',
      '> ping 1 bytes',
      '> text 5 bytes fin',
      '< pong 1 bytes',
      '> close 4000 "done"',
      '< close 4000 "done"',
      'closed 4000 "done", clean, local',
    ]);
  });

  it('tells why a connection was not clean', () => {
    const cut = 'const { client, server } = createPair(); client.forceClose(); await server.closeInfo;';
    const lines = trace(cut, 'wspipe');
    expect(linesOf('client', lines)).toEqual([
      'open',
      expect.stringMatching(/^closed 1006, not clean, local: .*we broke off$/),
    ]);
    expect(linesOf('server', lines)).toEqual([
      'open',
      expect.stringMatching(/^closed 1006, not clean, remote: .*close frame$/),
    ]);
  });
});
