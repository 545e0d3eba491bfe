import type { Duplex } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { DeflatePool } from '../../lib/deflate/deflate-pool.ts';
import { createPerMessageDeflate, type PerMessageDeflateOptions } from '../../lib/deflate/per-message-deflate.ts';
import { acceptExtensions, confirmExtensions, offerExtensions } from '../../lib/handshake/extension-negotiation.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { openInbound, openOutbound, type WsNegotiatedExtensions } from '../../lib/stream/ws-extension.ts';

/** Sends messages through a row of stages, and gives what comes out. */
async function through(stage: Duplex, frames: readonly WsFrame[]): Promise<WsFrame[]> {
  const out: WsFrame[] = [];
  stage.on('data', (frame: WsFrame) => out.push(frame));
  const ended = new Promise((resolve) => stage.once('end', resolve));
  for (const frame of frames) stage.write(frame);
  stage.end();
  await ended;
  return out;
}

const open = (negotiated: WsNegotiatedExtensions) => ({
  inbound: openInbound(negotiated),
  outbound: openOutbound(negotiated),
});

function negotiate(client: PerMessageDeflateOptions, server: PerMessageDeflateOptions) {
  const ofClient = [createPerMessageDeflate(client)];
  const accepted = acceptExtensions(offerExtensions(ofClient), [createPerMessageDeflate(server)]);
  const confirmed = confirmExtensions(accepted.header, ofClient);
  return { header: accepted.header, server: open(accepted), client: open(confirmed) };
}

const TEXT = 'the same again and again, '.repeat(40);

describe('createPerMessageDeflate', () => {
  it.each<[PerMessageDeflateOptions, PerMessageDeflateOptions, string]>([
    [{}, {}, 'permessage-deflate'],
    [{ clientNoContextTakeover: true }, {}, 'permessage-deflate; client_no_context_takeover'],
    [{}, { serverMaxWindowBits: 10 }, 'permessage-deflate; server_max_window_bits=10'],
    [
      { serverMaxWindowBits: 8, clientMaxWindowBits: 9 },
      { serverNoContextTakeover: true, clientMaxWindowBits: 8 },
      'permessage-deflate; server_no_context_takeover; server_max_window_bits=8; client_max_window_bits=8',
    ],
  ])(
    'a client that wants %o and a server that wants %o agree, and understand each other (RFC 7692 §7)',
    async (...wants) => {
      const [client, server, header] = wants;
      const agreed = negotiate(client, server);
      expect(agreed.header).toBe(header);
      for (const [from, to] of [
        [agreed.client, agreed.server],
        [agreed.server, agreed.client],
      ] as const) {
        const frames = [TEXT, 'short', TEXT].map((text) => WsFrame.text(text));
        const sent = await through(from.outbound[0]!, frames);
        expect(sent.map(({ rsv }) => rsv)).toEqual([4, 0, 4]);
        expect(sent[0]!.payloadLength).toBeLessThan(TEXT.length / 2);
        const received = await through(to.inbound[0]!, sent);
        expect(received.map((frame) => frame.payloadText())).toEqual([TEXT, 'short', TEXT]);
      }
    },
  );

  it('without takeover, equal messages are equal on the wire; with it, the second one is smaller (RFC 7692 §7.1.1.1)', async () => {
    for (const serverNoContextTakeover of [true, false]) {
      const { server } = negotiate({}, { serverNoContextTakeover });
      const [first, second] = await through(server.outbound[0]!, [WsFrame.text(TEXT), WsFrame.text(TEXT)]);
      expect(second!.payloadLength < first!.payloadLength).toBe(!serverNoContextTakeover);
    }
  });

  it.each<[PerMessageDeflateOptions, boolean]>([
    [{}, false],
    [{ windowBits: 15 }, true],
    [{ windowBits: 15, serverMaxWindowBits: 14 }, false],
    [{ windowBits: 9 }, false],
  ])('%o refers back over 20,000 bytes: %s (RFC 7692 §7.1.2.1)', async (options, isFar) => {
    const noise = Buffer.from(Array.from({ length: 20_000 }, (_, at) => Math.imul(at * at + 7, 2_654_435_761) >>> 24));
    const { server } = negotiate({}, options);
    const sent = await through(server.outbound[0]!, [WsFrame.binary(noise), WsFrame.binary(noise)]);
    expect(sent[1]!.payloadLength < 5_000).toBe(isFar);
  });

  it.each<[PerMessageDeflateOptions, boolean]>([
    [{}, false],
    [{ windowBits: 14 }, true],
    [{ windowBits: 13 }, false],
  ])('%o refers back over 12 KiB of small messages: %s', async (options, isFar) => {
    const noise = Buffer.from(Array.from({ length: 12_288 }, (_, at) => Math.imul(at * at + 7, 2_654_435_761) >>> 24));
    const { server } = negotiate({}, options);
    const messages = [0, 4096, 8192, 0].map((at) => WsFrame.binary(noise.subarray(at, at + 4096)));
    const sent = await through(server.outbound[0]!, messages);
    expect(sent[3]!.payloadLength < 1000).toBe(isFar);
  });

  it('takes over how it compresses: thresholdBytes, shouldCompress, compress, level, maxInflatedRatio', async () => {
    const rsvOf = async (options: PerMessageDeflateOptions, frame: WsFrame): Promise<number> => {
      const { client } = negotiate(options, {});
      return (await through(client.outbound[0]!, [frame]))[0]!.rsv;
    };
    const text = WsFrame.text(TEXT);
    expect(await rsvOf({ thresholdBytes: 1 }, WsFrame.text('aa'))).toBe(4);
    expect(await rsvOf({ thresholdBytes: TEXT.length + 1 }, text)).toBe(0);
    expect(await rsvOf({ shouldCompress: (frame) => frame.isBinary() }, text)).toBe(0);
    expect(await rsvOf({}, new WsFrame(1, Buffer.from(TEXT), { compress: false }))).toBe(0);
    expect(await rsvOf({}, new WsFrame(1, Buffer.from('a'), { compress: true }))).toBe(4);
    const sizes = await Promise.all(
      [0, 9].map(
        async (level) => (await through(negotiate({ level }, {}).client.outbound[0]!, [text]))[0]!.payloadLength,
      ),
    );
    expect(sizes[0]).toBeGreaterThan(sizes[1]!);
    const { client, server } = negotiate({}, { maxInflatedRatio: 2 });
    const [bomb] = await through(client.outbound[0]!, [WsFrame.binary(new Uint8Array(600_000))]);
    const failed = new Promise((resolve) => server.inbound[0]!.once('error', resolve));
    server.inbound[0]!.resume();
    server.inbound[0]!.write(bomb);
    expect(await failed).toMatchObject({ code: 'WS_ERR_INFLATED_RATIO', closeCode: 1009 });
  });

  it('a client that stays silent about its window is declined by a server that limits it (RFC 7692 §7.1.2.2)', () => {
    const server = createPerMessageDeflate({ clientMaxWindowBits: 10 });
    expect(server.accept([])).toBeUndefined();
    expect(server.accept([{ name: 'client_max_window_bits', value: undefined }])?.params).toEqual([
      { name: 'client_max_window_bits', value: '10' },
    ]);
  });

  it.each<[string, unknown, new (...args: never[]) => Error]>([
    ['null', null, TypeError],
    ['a number', 1, TypeError],
    ['a window of 7 bits', { serverMaxWindowBits: 7 }, RangeError],
    ['a window of 16 bits', { clientMaxWindowBits: 16 }, RangeError],
    ['a window of text', { clientMaxWindowBits: '10' }, TypeError],
    ['a window of half a bit', { clientMaxWindowBits: 9.5 }, RangeError],
    ['a window of its own of 7 bits', { windowBits: 7 }, RangeError],
    ['a window of its own of text', { windowBits: '10' }, TypeError],
    ['a switch that is none', { serverNoContextTakeover: 'yes' }, TypeError],
    ['another switch that is none', { clientNoContextTakeover: 1 }, TypeError],
    ['level 10', { level: 10 }, RangeError],
    ['level -2', { level: -2 }, RangeError],
    ['memLevel 0', { memLevel: 0 }, RangeError],
    ['memLevel 10', { memLevel: 10 }, RangeError],
    ['a negative threshold', { thresholdBytes: -1 }, RangeError],
    ['a ratio below 1', { maxInflatedRatio: 0.5 }, RangeError],
    ['a ratio that is no number', { maxInflatedRatio: Number.NaN }, RangeError],
    ['a ratio of text', { maxInflatedRatio: '5' }, TypeError],
    ['a policy that is no function', { shouldCompress: true }, TypeError],
    ['a pool that is none', { pool: {} }, TypeError],
  ])('refuses %s at the door', (_name, options, kind) => {
    expect(() => createPerMessageDeflate(options as PerMessageDeflateOptions)).toThrow(kind);
  });

  it('takes every option at its edge', () => {
    const edges: PerMessageDeflateOptions[] = [
      { windowBits: 8, level: 0, memLevel: 1, thresholdBytes: 0, maxInflatedRatio: 1 },
      {
        windowBits: 15,
        level: 9,
        memLevel: 9,
        thresholdBytes: Number.POSITIVE_INFINITY,
        maxInflatedRatio: Number.POSITIVE_INFINITY,
      },
      { serverMaxWindowBits: 8, clientMaxWindowBits: 15, pool: new DeflatePool(), level: -1 },
    ];
    for (const options of edges) expect(negotiate(options, options).header).toContain('permessage-deflate');
  });

  it('gives connections that agree on the same one maker of stages, and others another', () => {
    const extension = createPerMessageDeflate();
    const agree = (offer: string) => acceptExtensions(offer, [extension]).stages[0]!;
    const plain = agree('permessage-deflate');
    expect(agree('permessage-deflate')).toBe(plain);
    expect(agree('permessage-deflate; server_no_context_takeover')).not.toBe(plain);
    expect(agree('permessage-deflate; client_no_context_takeover')).not.toBe(plain);
    expect(agree('permessage-deflate; server_max_window_bits=10')).not.toBe(plain);
    expect(agree('permessage-deflate; client_max_window_bits=10')).not.toBe(plain);
    const ofClient = confirmExtensions('permessage-deflate', [extension]).stages[0]!;
    expect(ofClient).not.toBe(plain);
    expect(confirmExtensions('permessage-deflate', [extension]).stages[0]).toBe(ofClient);
    expect(acceptExtensions('permessage-deflate', [createPerMessageDeflate()]).stages[0]).not.toBe(plain);
  });

  it('keeps apart what connections say that agree on the same', async () => {
    const [ofServer, ofClient] = [createPerMessageDeflate(), createPerMessageDeflate()];
    const pairs = Array.from({ length: 2 }, () => {
      const accepted = acceptExtensions(offerExtensions([ofClient]), [ofServer]);
      return { server: open(accepted), client: open(confirmExtensions(accepted.header, [ofClient])) };
    });
    const texts = [TEXT, 'quite another story, told twice, '.repeat(40)];
    const received = await Promise.all(
      pairs.map(async ({ client, server }, index) => {
        const frames = Array.from({ length: 3 }, () => WsFrame.text(texts[index]!));
        return through(server.inbound[0]!, await through(client.outbound[0]!, frames));
      }),
    );
    for (const [index, frames] of received.entries()) {
      expect(frames.map((frame) => frame.payloadText())).toEqual(Array(3).fill(texts[index]));
    }
  });
});

describe('what was agreed on', () => {
  it.each([
    [{}, { serverInbound: false, clientInbound: false }],
    [{ clientNoContextTakeover: true }, { serverInbound: true, clientInbound: false }],
    [{ serverNoContextTakeover: true }, { serverInbound: false, clientInbound: true }],
  ])('%o lets an inflater rest where it forgets each message, and a deflater always', (options, mayRest) => {
    const extension = createPerMessageDeflate(options);
    const { params, stages } = extension.accept(extension.offer()[0]!)!;
    expect([stages.inboundMayRest, stages.outboundMayRest]).toEqual([mayRest.serverInbound, true]);
    const ofClient = extension.confirm(params);
    expect([ofClient.inboundMayRest, ofClient.outboundMayRest]).toEqual([mayRest.clientInbound, true]);
  });

  it('leaves it to others to judge text, behind all stages', async () => {
    const { client, server } = negotiate({}, {});
    const sent = await through(client.outbound[0]!, [new WsFrame(1, Buffer.alloc(300, 0xff))]);
    const received = await through(server.inbound[0]!, sent);
    expect(received.map(({ payload }) => payload)).toEqual([Buffer.alloc(300, 0xff)]);
  });

  it('is nothing where the runtime has no zlib that can be driven: not offered, and declined', async () => {
    vi.resetModules();
    vi.doMock('node:zlib', async (original) => ({ ...(await original<object>()), createDeflateRaw: () => ({}) }));
    try {
      const { createPerMessageDeflate: create } = await import('../../lib/deflate/per-message-deflate.ts');
      expect(create().offer()).toEqual([]);
      expect(create().accept([])).toBeUndefined();
    } finally {
      vi.doUnmock('node:zlib');
      vi.resetModules();
    }
  });
});

it.each<[message: string, make: () => unknown]>([
  ['perMessageDeflate must be a boolean or an object', () => createPerMessageDeflate(null as never)],
  ['perMessageDeflate must be a boolean or an object', () => createPerMessageDeflate(1 as never)],
  ['serverMaxWindowBits must be 8 or more, not 7', () => createPerMessageDeflate({ serverMaxWindowBits: 7 })],
  ['clientMaxWindowBits', () => createPerMessageDeflate({ clientMaxWindowBits: 16 })],
  ['windowBits must be 8 or more, not 7', () => createPerMessageDeflate({ windowBits: 7 })],
  ['serverNoContextTakeover', () => createPerMessageDeflate({ serverNoContextTakeover: 1 as never })],
  ['clientNoContextTakeover', () => createPerMessageDeflate({ clientNoContextTakeover: 1 as never })],
  ['level', () => createPerMessageDeflate({ level: 10 })],
  ['memLevel must be 1 or more, not 0', () => createPerMessageDeflate({ memLevel: 0 })],
  ['thresholdBytes', () => createPerMessageDeflate({ thresholdBytes: -1 })],
  ['maxInflatedRatio must be a number', () => createPerMessageDeflate({ maxInflatedRatio: '2' as never })],
  ['maxInflatedRatio must be 1 or more, not 0', () => createPerMessageDeflate({ maxInflatedRatio: 0 })],
  ['shouldCompress must be a function', () => createPerMessageDeflate({ shouldCompress: 1 as never })],
  ['pool must be a DeflatePool', () => createPerMessageDeflate({ pool: {} as never })],
])('says what is wrong with an option: %s', (message, make) => {
  expect(make).toThrow(message);
});
