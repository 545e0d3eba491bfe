import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WsMessage } from '../../../lib/connection/reading/ws-message.ts';
import { outcome } from '../../support/outcome.ts';
import { anyText } from '../../vectors/any-text.ts';

/** A message of these pieces, each given when it is asked for; then its end, or nothing. */
function messageOf(pieces: readonly (string | Uint8Array)[], { isWhole = true } = {}) {
  const rest = pieces.map((piece) => Buffer.from(piece as Uint8Array)).filter(({ length }) => length > 0);
  const log = { pulled: 0, released: 0 };
  const message: WsMessage = new WsMessage('text', {
    pull: () => {
      log.pulled++;
      const piece = rest.shift();
      if (piece !== undefined) setImmediate(() => message.push(piece));
      else if (isWhole) message.push(null);
    },
    released: () => void log.released++,
  });
  return { message, log };
}

describe('reading all of it', () => {
  it.each([[[]], [['']], [['a']], [['a', 'b', 'c']]])('gives bytes and text of %j', async (pieces) => {
    const bytes = await messageOf(pieces).message.bytes();
    expect(bytes).toBeInstanceOf(Uint8Array);
    expect(Buffer.from(bytes).toString()).toBe(pieces.join(''));
    expect(await messageOf(pieces).message.text()).toBe(pieces.join(''));
  });

  it('gives the JSON value, and a SyntaxError for what is none', async () => {
    expect(await messageOf(['{"a"', ':[1,2]}']).message.json()).toEqual({ a: [1, 2] });
    expect(await outcome(messageOf(['{']).message.json())).toBeInstanceOf(SyntaxError);
    expect(await outcome(messageOf([]).message.json())).toBeInstanceOf(SyntaxError);
  });

  it('gives the rest where something was read before', async () => {
    const { message } = messageOf(['ab', 'cd', 'ef']);
    await once(message, 'readable');
    expect(message.read().toString()).toBe('ab');
    expect(await message.text()).toBe('cdef');
  });

  it('releases it once, at its end', async () => {
    const { message, log } = messageOf(['a', 'b']);
    expect(log.released).toBe(0);
    await message.text();
    message.destroy();
    expect(log.released).toBe(1);
  });
});

describe('textStream', () => {
  it('tears no character, wherever the pieces are cut (§5.6, §8.1)', async () => {
    await fc.assert(
      fc.asyncProperty(anyText(30), fc.array(fc.nat({ max: 100 }), { maxLength: 8 }), async (text, cuts) => {
        const bytes = Buffer.from(text);
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const pieces = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
        let joined = '';
        for await (const piece of messageOf(pieces).message.textStream()) {
          expect(piece).not.toBe('');
          joined += piece;
        }
        expect(joined).toBe(Buffer.from(bytes).toString());
      }),
      { numRuns: 40 },
    );
  });

  it('keeps a byte order mark, as payloadText() does', async () => {
    expect(await messageOf(['\ufeffa']).message.text()).toBe('\ufeffa');
  });

  it('shows what is no UTF-8 in a binary message as replacement characters', async () => {
    expect(await messageOf([Buffer.of(0x61, 0xff), Buffer.of(0xe2, 0x82)]).message.text()).toBe('a\ufffd\ufffd');
  });

  it('destroys the message when its loop is left', async () => {
    const { message, log } = messageOf(['a', 'b'], { isWhole: false });
    for await (const piece of message.textStream()) {
      expect(piece).toBe('a');
      break;
    }
    expect([message.destroyed, log.released]).toEqual([true, 1]);
  });
});

describe('a message that is cut', () => {
  it('gives what had come first, and then its error', async () => {
    const message = new WsMessage('text', { pull: () => {}, released: () => {} });
    message.push('had come');
    const error = new Error('cut');
    message.cut(error);
    expect(message.destroyed).toBe(false);
    const seen: string[] = [];
    await expect(
      (async () => {
        for await (const piece of message.textStream()) seen.push(piece);
      })(),
    ).rejects.toBe(error);
    expect(seen).toEqual(['had come']);
  });

  const cut = new Error('cut');
  const readers: Record<string, (message: WsMessage) => Promise<unknown>> = {
    'bytes()': (message) => message.bytes(),
    'text()': (message) => message.text(),
    'json()': (message) => message.json(),
    finished: (message) => finished(message.resume()),
    pipeline: (message) => pipeline(message, new PassThrough().resume()),
  };

  it.each(Object.keys(readers))('is an error for %s, once', async (name) => {
    const { message, log } = messageOf(['a'], { isWhole: false });
    const read = outcome(readers[name]!(message));
    setImmediate(() => setImmediate(() => message.destroy(cut)));
    expect([await read, log.released]).toEqual([cut, 1]);
  });

  it('needs no listener, and gives its error to who comes late', async () => {
    const { message } = messageOf([]);
    message.destroy(cut);
    await new Promise((resolve) => void message.once('close', resolve));
    expect(await outcome(message.text())).toBe(cut);
  });
});
