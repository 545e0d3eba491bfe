import { describe, expect, it } from 'vitest';
import { createPair } from '../../lib/endpoint/pair.ts';
import { PreparedFrame } from '../../lib/fanout/prepared-frame.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { WS_OPCODE_BINARY, WS_OPCODE_CONTINUATION, WS_OPCODE_TEXT } from '../../lib/protocol/opcode.ts';
import { meet } from '../support/naive-peer.ts';

describe('PreparedFrame', () => {
  it.each([
    ['text', new PreparedFrame('hé'), '\x81\x03h\xc3\xa9'],
    ['empty text', new PreparedFrame(''), '\x81\x00'],
    ['bytes', new PreparedFrame(Uint8Array.of(1, 2)), '\x82\x02\x01\x02'],
    ['an ArrayBuffer', new PreparedFrame(new ArrayBuffer(1)), '\x82\x01\x00'],
    ['a frame', new PreparedFrame(WsFrame.text('a')), '\x81\x01a'],
    ['PreparedFrame.text', PreparedFrame.text('b'), '\x81\x01b'],
    ['PreparedFrame.binary', PreparedFrame.binary(Uint8Array.of(3)), '\x82\x01\x03'],
  ])('encodes %s once, unmasked (§5.1, §5.6)', (_what, frame, wire) => {
    expect(frame.wire?.toString('latin1')).toBe(wire);
    expect(frame).toBeInstanceOf(WsFrame);
    expect(frame.isFinal).toBe(true);
  });

  it('says to compress or not as it was told, or as the frame says', () => {
    const said = new WsFrame(WS_OPCODE_TEXT, Buffer.from('x'), { compress: false });
    expect(new PreparedFrame(said).compress).toBe(false);
    expect(new PreparedFrame(said, { compress: true }).compress).toBe(true);
    expect(new PreparedFrame('x').compress).toBeUndefined();
    expect(() => new PreparedFrame('x', { compress: 1 as never })).toThrow(TypeError);
  });

  it.each([
    ['a number', () => new PreparedFrame(5 as never)],
    ['nothing', () => new PreparedFrame(undefined as never)],
    ['a control frame', () => new PreparedFrame(WsFrame.ping())],
    ['the first fragment', () => new PreparedFrame(new WsFrame(WS_OPCODE_TEXT, Buffer.from('a'), { isFinal: false }))],
    ['the last fragment', () => new PreparedFrame(new WsFrame(WS_OPCODE_CONTINUATION, Buffer.from('a')))],
    ['a reserved bit', () => new PreparedFrame(new WsFrame(WS_OPCODE_BINARY, Buffer.from('a'), { rsv: 2 }))],
    ['text that is none', () => PreparedFrame.text(5 as never)],
    ['bytes that are none', () => PreparedFrame.binary('text' as never)],
  ])('refuses %s with a TypeError', (_what, prepare) => {
    expect(prepare).toThrow(TypeError);
  });

  it.each([
    ['server', 'tcp'],
    ['server', 'memory'],
    ['client', 'tcp'],
  ] as const)('is taken by a %s over %s wherever a frame is, in order, with pings between', async (role, over) => {
    const { conn, peer } = await meet(role, { over });
    peer.listen();
    const small = new PreparedFrame('small');
    const large = new PreparedFrame(Buffer.alloc(200_000, 'x'));
    conn.write(small);
    const sizes = [conn.sendFrame(large), conn.sendText('between'), conn.sendPing('p'), conn.sendFrame(small)];
    void conn.write(large);
    const header = role === 'server' ? 0 : 4;
    expect(await Promise.all(sizes)).toEqual([200_000 + 3 * 10 + 4 + 4 * header, 9 + header, 3 + header, 7 + header]);
    void conn.close();
    peer.close(1000);
    peer.fin();
    const frames = await peer.rest();
    const ends = frames
      .filter(({ opcode }) => opcode < 8)
      .map(({ opcode, isFinal, payload }) => [opcode, isFinal, payload.length]);
    const pieces = [
      [2, false, 65_536],
      [0, false, 65_536],
      [0, false, 65_536],
      [0, true, 3392],
    ];
    expect(ends).toEqual([[1, true, 5], ...pieces, [1, true, 7], [1, true, 5], ...pieces]);
    expect(frames.find(({ opcode }) => opcode === 9)?.payload.toString()).toBe('p');
  });

  it('cannot be changed by who gets it in the same process', async () => {
    const { client, server } = createPair();
    const frame = new PreparedFrame('untouched');
    for (let round = 0; round < 2; round++) {
      await server.sendFrame(frame);
      const got = await client.recvFrame();
      expect(got?.payloadText()).toBe('untouched');
      got?.payload.fill(0);
    }
    client.forceClose();
    server.forceClose();
  });
});
