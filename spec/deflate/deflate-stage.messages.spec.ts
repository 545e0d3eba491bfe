/** What an error says is what somebody has to go by. */
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FrameDeflater } from '../../lib/deflate/frame-deflater.ts';
import { FrameInflater } from '../../lib/deflate/frame-inflater.ts';
import type { WsFrame } from '../../lib/protocol/frame.ts';
import { compressed, put } from '../vectors/deflate.ts';

const BOMB = deflateRawSync(Buffer.alloc(200_000));

describe('an option out of its range', () => {
  it.each<[message: string, make: () => unknown]>([
    ['windowBits must be a whole number from 8 to 15, not 7', () => new FrameInflater({ windowBits: 7 })],
    ['windowBits must be a whole number from 8 to 15, not 16', () => new FrameDeflater({ windowBits: 16 })],
    ['level must be a whole number from -1 to 9, not 10', () => new FrameDeflater({ level: 10 })],
    ['memLevel must be a whole number from 1 to 9, not 0', () => new FrameDeflater({ memLevel: 0 })],
    ['thresholdBytes must', () => new FrameDeflater({ thresholdBytes: -1 })],
    ['shouldCompress must be a function', () => new FrameDeflater({ shouldCompress: 1 as never })],
    ['maxInflatedRatio must be 1 or more, not 0.5', () => new FrameInflater({ maxInflatedRatio: 0.5 })],
    ['maxMessageBytes must', () => new FrameInflater({ maxMessageBytes: -1 })],
  ])('says: %s', (message, make) => {
    expect(make).toThrow(message);
  });
});

describe('what comes and cannot be', () => {
  it.each<[message: string, frames: WsFrame[], options?: object]>([
    ['the message ends inside a block', [compressed('f2 48 cd')]],
    ['invalid block type', [compressed('ff ff')]],
    ['inside a compressed message', [compressed('f2 48 cd', 2, false)]],
    ['at least 5 bytes', [compressed('f2 48 cd c9 c9 07 00')], { maxMessageBytes: 4 }],
    [' bytes of ', [compressed(BOMB)], { maxInflatedRatio: 1 }],
  ])('is told: %s', async (message, frames, options) => {
    const { error } = await put(new FrameInflater(options), frames);
    expect((error as Error | undefined)?.message ?? 'no error').toContain(message);
  });

  it('is told where it is no frame', async () => {
    const { error } = await put(new FrameInflater(), ['text' as never]);
    expect((error as Error).message).toBe('A FrameInflater takes WsFrames');
  });
});
