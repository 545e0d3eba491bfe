import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createPublisherId,
  decodeEnvelope,
  ENVELOPE_LENGTH,
  encodeEnvelope,
} from '../../../lib/fanout/backplane/envelope.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';

const publisher = Buffer.from('0123456789abcdef', 'hex');

describe('an envelope', () => {
  it('holds a message, its publisher and its number, in 16 bytes more', () => {
    const frame = WsFrame.text('Grüße');
    const bytes = encodeEnvelope(publisher, 258, frame);
    expect(bytes.toString('hex')).toBe(`b1010123456789abcdef000000000102${Buffer.from('Grüße').toString('hex')}`);
    expect(bytes.length).toBe(ENVELOPE_LENGTH + frame.payload.length);
    const envelope = decodeEnvelope(bytes);
    expect(envelope).toMatchObject({ publisher: '0123456789abcdef', sequence: 258 });
    expect(typeof envelope !== 'string' && envelope.frame?.payloadText()).toBe('Grüße');
  });

  it('without a message tells how many there were', () => {
    const envelope = decodeEnvelope(encodeEnvelope(publisher, 0));
    expect(envelope).toEqual({ publisher: '0123456789abcdef', sequence: 0, frame: undefined });
  });

  it.each([undefined, true, false])('keeps whether it may be compressed: %s', (compress) => {
    const envelope = decodeEnvelope(encodeEnvelope(publisher, 1, new WsFrame(2, Buffer.from('x'), { compress })));
    expect(typeof envelope !== 'string' && envelope.frame?.compress).toBe(compress);
  });

  it('gives back every payload and number', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 2 ** 48 - 1 }), (payload, sequence) => {
        const envelope = decodeEnvelope(encodeEnvelope(publisher, sequence, WsFrame.binary(payload)));
        if (typeof envelope === 'string') throw new Error(envelope);
        expect(envelope.sequence).toBe(sequence);
        expect(Buffer.compare(envelope.frame!.payload, payload)).toBe(0);
      }),
    );
  });
});

describe('what is no envelope', () => {
  const good = encodeEnvelope(publisher, 1, WsFrame.text('x'));
  const changed = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(good);
    bytes[at] = value;
    return bytes;
  };

  it.each([
    ['nothing', Buffer.alloc(0), 'too few'],
    ['a head that is cut', good.subarray(0, 15), 'too few'],
    ['another version', changed(0, 0xb2), 'version 0xb2'],
    ['an opcode of a control frame', changed(1, 0x08), 'kind 0x8'],
    ['a compression that is not known', changed(1, 0x31), 'kind 0x31'],
    ['a number of 0', changed(15, 0), '0th'],
    ['text that is not UTF-8', changed(16, 0xff), 'UTF-8'],
  ])('is told why: %s', (_what, bytes, reason) => {
    expect(decodeEnvelope(bytes)).toContain(reason);
  });

  it('never throws, whatever comes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => void decodeEnvelope(bytes)));
  });
});

it('a publisher has an id of its own', () => {
  const ids = Array.from({ length: 100 }, () => createPublisherId().toString('hex'));
  expect(new Set(ids).size).toBe(100);
  expect(ids[0]).toMatch(/^[0-9a-f]{16}$/);
});
