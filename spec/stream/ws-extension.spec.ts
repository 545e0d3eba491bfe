import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import {
  type ExtensionStages,
  openExtensions,
  openInbound,
  openOutbound,
  type WsNegotiatedExtensions,
} from '../../lib/stream/ws-extension.ts';

const stage = (): PassThrough => new PassThrough({ objectMode: true });
const negotiated = (...stages: ExtensionStages[]): WsNegotiatedExtensions => ({ header: 'a', rsv: 2, stages });

const open = (stages: WsNegotiatedExtensions): { inbound: unknown[]; outbound: unknown[] } => ({
  inbound: openInbound(stages),
  outbound: openOutbound(stages),
});

describe('the stages of a connection', () => {
  it('gives what is sent in the order of the answer, and what comes in the reverse one (§9.1)', () => {
    const [foo, bar] = [
      { in: stage(), out: stage() },
      { in: stage(), out: stage() },
    ];
    const stages = [foo, bar].map((each) => ({ createInbound: () => each.in, createOutbound: () => each.out }));
    const { inbound, outbound } = open(negotiated(...stages));
    expect(outbound[0]).toBe(foo.out);
    expect(outbound[1]).toBe(bar.out);
    expect(inbound[0]).toBe(bar.in);
    expect(inbound[1]).toBe(foo.in);
  });

  it('has no stage where an extension has none to give', () => {
    const { inbound, outbound } = open(negotiated({}, { createInbound: () => undefined }, { createOutbound: stage }));
    expect([inbound.length, outbound.length]).toEqual([0, 1]);
  });

  it.each<[string, unknown]>([
    ['a stream of bytes', new PassThrough()],
    ['a stream of frames on one side only', new PassThrough({ readableObjectMode: true })],
    ['no stream', {}],
    ['null', null],
  ])('refuses %s with a TypeError', (_name, made) => {
    const stages: ExtensionStages = { createInbound: () => made as PassThrough };
    expect(() => openInbound(negotiated(stages))).toThrow(TypeError);
    expect(() => openExtensions(negotiated(stages))).toThrow(TypeError);
  });
});

describe('openExtensions', () => {
  it('makes the stages at once, and gives the same ones', () => {
    let made = 0;
    const create = (): PassThrough => {
      made++;
      return stage();
    };
    const opened = openExtensions(negotiated({ createInbound: create, createOutbound: create }, {}));
    expect([made, opened.header, opened.rsv, opened.stages.length]).toEqual([2, 'a', 2, 2]);
    const { inbound, outbound } = open(opened);
    expect([made, inbound.length, outbound.length]).toEqual([2, 1, 1]);
  });

  it('makes a stage that may rest when it is needed, and anew each time', () => {
    let made = 0;
    const create = (): PassThrough => {
      made++;
      return stage();
    };
    const both = { createInbound: create, createOutbound: create };
    const opened = openExtensions(
      negotiated({ ...both, inboundMayRest: true }, { ...both, inboundMayRest: true, outboundMayRest: true }),
    );
    expect(made).toBe(1);
    expect(openOutbound(opened).length).toBe(2);
    expect(made).toBe(2);
    expect(openInbound(opened)[0]).not.toBe(openInbound(opened)[0]);
    expect(made).toBe(6);
  });
});
