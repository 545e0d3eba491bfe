import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computeAccept, createKey, isKey } from '../../lib/handshake/accept-key.ts';
import { ACCEPT, KEY, sha1 } from '../vectors/handshake.ts';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

describe('computeAccept', () => {
  it("gives the accept value of the RFC's own example (§1.3)", () => {
    expect(computeAccept(KEY, sha1)).toBe(ACCEPT);
  });

  it('takes the key as text and does not decode it (§4.2.2)', () => {
    expect(computeAccept(KEY.replace('ZQ==', 'ZR=='), sha1)).not.toBe(ACCEPT);
  });
});

describe('createKey', () => {
  it('makes a key of 16 bytes (§4.1)', () => {
    const key = createKey();
    expect(isKey(key)).toBe(true);
    expect(Buffer.from(key, 'base64')).toHaveLength(16);
  });

  it('makes a fresh key each time, with every byte at random (§4.1)', () => {
    const keys = Array.from({ length: 500 }, () => createKey());
    expect(new Set(keys).size).toBe(keys.length);
    for (let at = 0; at < 16; at++) {
      const values = new Set(keys.map((key) => Buffer.from(key, 'base64')[at]));
      expect(values.size).toBeGreaterThan(100);
    }
  });
});

describe('isKey', () => {
  it('takes any 16 bytes in base64 (§4.2.1)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        expect(isKey(base64(bytes))).toBe(true);
      }),
    );
  });

  it('refuses any other number of bytes (§4.2.1)', () => {
    const others = fc.uint8Array({ maxLength: 40 }).filter(({ length }) => length !== 16);
    fc.assert(
      fc.property(others, (bytes) => {
        expect(isKey(base64(bytes))).toBe(false);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['no padding', KEY.slice(0, -2)],
    ['one sign of padding', KEY.slice(0, -1)],
    ['too much padding', `${KEY}=`],
    ['bits behind the last byte', KEY.replace('ZQ==', 'ZR==')],
    ['the URL alphabet', '_-__________________-g=='],
    ['a space within', KEY.replace('h', ' ')],
    ['a space before', ` ${KEY}`],
    ['a line end behind', `${KEY}\n`],
    ['a sign beyond ASCII', KEY.replace('h', 'é')],
    ['text', 'hello'],
  ])('refuses a key with %s (§4.2.1, RFC 4648 §3.5)', (_, key) => {
    expect(isKey(key)).toBe(false);
  });
});
