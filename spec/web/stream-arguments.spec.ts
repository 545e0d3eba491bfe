import { afterEach, describe, expect, it, vi } from 'vitest';
import { assertProtocols, getUrlRecord, toMessage, toStreamOptions } from '../../lib/web/stream-arguments.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the URL', () => {
  it.each([
    ['ws://host', 'ws://host/'],
    ['wss://host:8080/path?query', 'wss://host:8080/path?query'],
    ['http://host/', 'ws://host/'],
    ['https://host/', 'wss://host/'],
    ['HTTP://Host:80/a b', 'ws://host/a%20b'],
    ['https://host:443/', 'wss://host/'],
  ])('%s is understood as %s', (url, href) => {
    expect(getUrlRecord(url).href).toBe(href);
  });

  it.each(['invalid:', 'ftp://host/', 'ws://host/#', 'ws://host/#part', '/relative', '', 'ws://', 'about:blank'])(
    '%o is a SyntaxError',
    (url) => {
      expect(() => getUrlRecord(url)).toThrow(expect.objectContaining({ name: 'SyntaxError', code: 12 }));
    },
  );

  it('is relative to the page, where there is a page', () => {
    vi.stubGlobal('location', { href: 'https://example.com/app/index.html' });
    expect(getUrlRecord('feed?x').href).toBe('wss://example.com/app/feed?x');
  });
});

describe('the options', () => {
  it('have defaults', () => {
    const none = { protocols: [], signal: undefined, maxMessageBytes: undefined };
    for (const options of [undefined, null, {}, () => {}]) expect(toStreamOptions(options as never)).toEqual(none);
  });

  it('take any list of subprotocols, and make strings of them', () => {
    expect(toStreamOptions({ protocols: new Set(['a', 'b']) }).protocols).toEqual(['a', 'b']);
    expect(toStreamOptions({ protocols: [1 as never] }).protocols).toEqual(['1']);
  });

  it.each([
    [true],
    ['text'],
    [{ protocols: 'hi' }],
    [{ protocols: null }],
    [{ protocols: {} }],
    [{ signal: null }],
    [{ signal: {} }],
  ])('%o are a TypeError', (options) => {
    expect(() => toStreamOptions(options as never)).toThrow(TypeError);
  });

  it('judge the limit', () => {
    expect(toStreamOptions({ maxMessageBytes: Number.POSITIVE_INFINITY }).maxMessageBytes).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(() => toStreamOptions({ maxMessageBytes: -1 })).toThrow(RangeError);
  });

  it.each([[['a', 'a']], [['echo', 'eCho']], [['']], [['a b']], [['a,b']], [['ä']]])(
    'refuse the subprotocols %o with a SyntaxError (§4.1)',
    (protocols) => {
      expect(() => assertProtocols(protocols)).toThrow(expect.objectContaining({ name: 'SyntaxError', code: 12 }));
    },
  );

  it('take distinct tokens', () => {
    expect(() => assertProtocols(['chat', 'chat.v2'])).not.toThrow();
  });
});

describe('a chunk', () => {
  it.each([
    ['text', 'text'],
    ['a\udc00', 'a\ufffd'],
    [42, '42'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{ toString: () => 'object' }, 'object'],
  ])('%o becomes the text %o', (chunk, text) => {
    expect(toMessage(chunk)).toBe(text);
  });

  const memory = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7);
  it.each([
    ['an ArrayBuffer', memory.buffer, [0, 1, 2, 3, 4, 5, 6, 7]],
    ['a Uint8Array', memory.subarray(2, 5), [2, 3, 4]],
    ['a DataView', new DataView(memory.buffer, 6), [6, 7]],
    ['a Uint16Array', new Uint16Array(memory.buffer, 2, 1), [2, 3]],
    ['a Buffer', Buffer.from([9]), [9]],
  ])('that is %s becomes a copy of its bytes', (_what, chunk, bytes) => {
    const message = toMessage(chunk) as Uint8Array;
    expect([...message]).toEqual(bytes);
    expect(message.buffer).not.toBe(ArrayBuffer.isView(chunk) ? chunk.buffer : chunk);
  });

  const resizable = new (ArrayBuffer as new (size: number, options: object) => ArrayBuffer)(8, { maxByteLength: 16 });
  it.each([
    ['a symbol', Symbol('chunk')],
    ['what gives no string', { toString: () => ({}), valueOf: () => ({}) }],
    ['a resizable ArrayBuffer', resizable],
    ['a view of a resizable ArrayBuffer', new Uint8Array(resizable)],
    ['a SharedArrayBuffer', new SharedArrayBuffer(8)],
    ['a view of a SharedArrayBuffer', new Uint8Array(new SharedArrayBuffer(8))],
  ])('that is %s is a TypeError', (_what, chunk) => {
    expect(() => toMessage(chunk)).toThrow(TypeError);
  });
});
