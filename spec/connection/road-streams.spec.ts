import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createRoadStreams, type RoadOptions } from '../../lib/connection/road-streams.ts';
import { WS_OPCODE_TEXT } from '../../lib/protocol/opcode.ts';
import { naiveEncode } from '../support/naive-peer.ts';

const OPTIONS: RoadOptions = {
  role: 'client',
  head: undefined,
  maxFrameBytes: Number.POSITIVE_INFINITY,
  validateUtf8: true,
  allowNonMinimalLengths: false,
};
const stage = (): PassThrough => new PassThrough({ objectMode: true });
const EXTENSIONS = { header: 'a', rsv: 2, stages: [{ createInbound: stage, createOutbound: stage }] };

async function decode(options: RoadOptions, bytes: Buffer): Promise<string> {
  const { decoder } = createRoadStreams(options);
  decoder.end(bytes);
  try {
    const [frame] = await decoder.toArray();
    return `rsv ${frame.rsv}`;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('createRoadStreams', () => {
  it('makes the codec and nothing else where nothing was negotiated', () => {
    const { inbound, outbound, judge } = createRoadStreams(OPTIONS);
    expect([inbound, outbound, judge]).toEqual([[], [], undefined]);
  });

  it('makes the stages of what was, and lets their reserved bits in (§5.2)', async () => {
    const { inbound, outbound, judge } = createRoadStreams({ ...OPTIONS, extensions: EXTENSIONS });
    expect([inbound.length, outbound.length, judge !== undefined]).toEqual([1, 1, true]);
    const marked = naiveEncode(WS_OPCODE_TEXT, 'a');
    marked[0] = marked[0]! | 0x20;
    expect(await decode(OPTIONS, Buffer.from(marked))).toBe('WS_ERR_RESERVED_BITS');
    expect(await decode({ ...OPTIONS, extensions: EXTENSIONS }, Buffer.from(marked))).toBe('rsv 2');
  });

  it('judges text where it is text: in the decoder, or behind the stages (§8.1)', async () => {
    const wrong = naiveEncode(WS_OPCODE_TEXT, Buffer.of(0xff));
    expect(await decode(OPTIONS, Buffer.from(wrong))).toBe('WS_ERR_INVALID_UTF8');
    expect(await decode({ ...OPTIONS, extensions: EXTENSIONS }, Buffer.from(wrong))).toBe('rsv 0');
    const lax = { ...OPTIONS, validateUtf8: false };
    expect(await decode(lax, Buffer.from(wrong))).toBe('rsv 0');
    expect(createRoadStreams({ ...lax, extensions: EXTENSIONS }).judge).toBeUndefined();
  });
});
