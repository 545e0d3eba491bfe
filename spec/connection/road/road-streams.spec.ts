import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import {
  createInboundStreams,
  createOutboundStreams,
  planRoad,
  type RoadPlan,
} from '../../../lib/connection/road/road-streams.ts';
import { WS_OPCODE_TEXT } from '../../../lib/protocol/opcode.ts';
import { naiveEncode } from '../../support/naive-peer.ts';
import { PLAN } from '../../support/road-plan.ts';

const LIMITS = PLAN.limits;
const OPTIONS: RoadPlan = { ...PLAN, role: 'client' };
const stage = (): PassThrough => new PassThrough({ objectMode: true });
const EXTENSIONS = { header: 'a', rsv: 2, stages: [{ createInbound: stage, createOutbound: stage }] };

async function decode(options: RoadPlan, bytes: Buffer): Promise<string> {
  const { decoder } = createInboundStreams(options);
  decoder.end(bytes);
  try {
    const [frame] = await decoder.toArray();
    return `rsv ${frame.rsv}`;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('the streams of a road', () => {
  it('makes the codec and nothing else where nothing was negotiated', () => {
    const { stages, judge } = createInboundStreams(OPTIONS);
    expect([stages, judge, createOutboundStreams(OPTIONS).stages]).toEqual([[], undefined, []]);
  });

  it('makes the stages of what was, and lets their reserved bits in (§5.2)', async () => {
    const plan = { ...OPTIONS, extensions: EXTENSIONS };
    const { stages, judge } = createInboundStreams(plan);
    expect([stages.length, createOutboundStreams(plan).stages.length, judge !== undefined]).toEqual([1, 1, true]);
    const marked = naiveEncode(WS_OPCODE_TEXT, 'a');
    marked[0] = marked[0]! | 0x20;
    expect(await decode(OPTIONS, Buffer.from(marked))).toBe('WS_ERR_RESERVED_BITS');
    expect(await decode({ ...OPTIONS, extensions: EXTENSIONS }, Buffer.from(marked))).toBe('rsv 2');
  });

  it('judges text where it is text: in the decoder, or behind the stages (§8.1)', async () => {
    const wrong = naiveEncode(WS_OPCODE_TEXT, Buffer.of(0xff));
    expect(await decode(OPTIONS, Buffer.from(wrong))).toBe('WS_ERR_INVALID_UTF8');
    expect(await decode({ ...OPTIONS, extensions: EXTENSIONS }, Buffer.from(wrong))).toBe('rsv 0');
    const lax = { ...OPTIONS, limits: { ...LIMITS, validateUtf8: false } };
    expect(await decode(lax, Buffer.from(wrong))).toBe('rsv 0');
    expect(createInboundStreams({ ...lax, extensions: EXTENSIONS }).judge).toBeUndefined();
  });
});

describe('planRoad', () => {
  const head = undefined;

  it('gives all roads with the same limits and no extension the same plan', () => {
    const plan = planRoad({ role: 'client', limits: LIMITS, head });
    expect(planRoad({ role: 'client', limits: LIMITS, head: Buffer.of(1) })).toBe(plan);
    expect(planRoad({ role: 'server', limits: LIMITS, head })).toEqual({ role: 'server', limits: LIMITS });
    expect(planRoad({ role: 'client', limits: { ...LIMITS }, head })).not.toBe(plan);
  });

  it('gives each road with extensions its own', () => {
    const options = { role: 'client', limits: LIMITS, head, extensions: EXTENSIONS } as const;
    expect(planRoad(options)).toEqual({ role: 'client', limits: LIMITS, extensions: EXTENSIONS });
    expect(planRoad(options)).not.toBe(planRoad(options));
  });
});
