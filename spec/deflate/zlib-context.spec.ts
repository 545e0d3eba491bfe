import { createDeflateRaw, createInflateRaw, type InflateRaw } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  contextBytes,
  isDeflateAvailable,
  Z_BLOCK,
  Z_NO_FLUSH,
  Z_SYNC_FLUSH,
  ZlibContext,
  type ZlibSettings,
} from '../../lib/deflate/zlib-context.ts';
import { noise, prose } from '../vectors/deflate.ts';

const settings = (kind: ZlibSettings['kind'], windowBits = 15): ZlibSettings => ({
  kind,
  windowBits,
  level: -1,
  memLevel: 8,
});
const opened: ZlibContext[] = [];

function open(kind: ZlibSettings['kind'], windowBits?: number): ZlibContext {
  const context = new ZlibContext(settings(kind, windowBits));
  opened.push(context);
  return context;
}

afterEach(() => {
  for (const context of opened.splice(0)) context.close();
});

/** Compresses and flushes. */
function pack(context: ZlibContext, bytes: Uint8Array): Buffer {
  const output = Buffer.alloc(bytes.length + 100);
  return output.subarray(0, context.write(Z_SYNC_FLUSH, bytes, 0, bytes.length, output, 0));
}

describe('a context', () => {
  it('remembers, until it is reset', () => {
    const deflate = open('deflate');
    const first = pack(deflate, prose(500));
    expect(pack(deflate, prose(500)).length).toBeLessThan(first.length / 4);
    deflate.reset();
    expect(pack(deflate, prose(500))).toEqual(first);
  });

  it('stops where no room is left, and goes on', () => {
    const inflate = open('inflate');
    const packed = pack(open('deflate'), prose(1000));
    const output = Buffer.alloc(600);
    expect(inflate.write(Z_NO_FLUSH, packed, 0, packed.length, output, 0)).toBe(600);
    expect(inflate.hasRoom).toBe(false);
    const left = inflate.inputLeft;
    expect(inflate.write(Z_NO_FLUSH, packed, packed.length - left, left, output, 100)).toBe(400);
    expect([inflate.hasRoom, inflate.inputLeft]).toEqual([true, 0]);
    expect(output.subarray(100, 500).equals(prose(1000).subarray(600))).toBe(true);
  });

  it('stops at the end of a block where that is asked', () => {
    const inflate = open('inflate');
    const packed = Buffer.concat([pack(open('deflate'), prose(100)), Buffer.from([0])]);
    const output = Buffer.alloc(200);
    let at = 0;
    const stops: number[] = [];
    while (packed.length - at > 1) {
      inflate.write(Z_BLOCK, packed, at, packed.length - at, output, 0);
      at = packed.length - inflate.inputLeft;
      stops.push(inflate.inputLeft);
    }
    expect(stops.at(-1)).toBe(1);
  });

  it('throws what is no DEFLATE, each time, and is as new after a reset', () => {
    const inflate = open('inflate');
    const output = Buffer.alloc(10);
    for (let i = 0; i < 2; i++) {
      expect(() => inflate.write(Z_NO_FLUSH, Buffer.from([0xff]), 0, 1, output, 0)).toThrow('invalid block type');
    }
    inflate.reset();
    const packed = pack(open('deflate'), Buffer.from('Hello'));
    expect(inflate.write(Z_NO_FLUSH, packed, 0, packed.length, output, 0)).toBe(5);
  });

  it.each(['deflate', 'inflate'] as const)('to %s gives its memory back when it is closed', (kind) => {
    const close = watchClose();
    new ZlibContext(settings(kind)).close();
    expect(close[kind]).toHaveBeenCalledOnce();
  });

  it.each([9, 12, 15])('with %i window bits takes about the memory that is accounted for', (windowBits) => {
    const deflate = contextBytes(settings('deflate', windowBits));
    const inflate = contextBytes(settings('inflate', windowBits));
    expect(deflate).toBe(2 ** (windowBits + 2) + 2 ** 17);
    expect(inflate).toBe(2 ** windowBits + 10_240);
  });

  const repetitive = [
    prose(20_000),
    Buffer.concat(Array.from({ length: 40 }, (_, i) => noise(200 + i))),
    Buffer.concat(Array.from({ length: 40 }, (_, i) => noise(i * 10, 7))),
  ];

  it.each(repetitive)('of a compressor with 9 window bits never refers back more than 256 bytes', (bytes) => {
    for (const level of [1, 3, 6, 9]) {
      for (const memLevel of [1, 8, 9]) {
        const deflate = new ZlibContext({ kind: 'deflate', windowBits: 9, level, memLevel });
        opened.push(deflate);
        expect(inflateBytewise(open('inflate', 8), pack(deflate, bytes)).equals(bytes)).toBe(true);
      }
    }
  });

  it('of a compressor with 10 does, and the judge of the last test sees it', () => {
    const packed = pack(open('deflate', 10), prose(20_000));
    expect(() => inflateBytewise(open('inflate', 8), packed)).toThrow('invalid distance too far back');
  });
});

/** Watches zlib's own streams being closed. */
function watchClose() {
  const watch = (stream: InflateRaw) => {
    stream.close();
    const close = vi.spyOn(Object.getPrototypeOf(stream) as InflateRaw, 'close');
    onTestFinished(() => close.mockRestore());
    return close;
  };
  return { deflate: watch(createDeflateRaw()), inflate: watch(createInflateRaw()) };
}

/** Inflates with room for one byte at a time: then a reference finds the window and nothing else. */
function inflateBytewise(inflate: ZlibContext, packed: Buffer): Buffer {
  const output: number[] = [];
  const byte = Buffer.alloc(1);
  let at = 0;
  do {
    if (inflate.write(Z_NO_FLUSH, packed, at, packed.length - at, byte, 0) === 1) output.push(byte[0]!);
    at = packed.length - inflate.inputLeft;
  } while (at < packed.length || !inflate.hasRoom);
  return Buffer.from(output);
}

describe('a runtime', () => {
  beforeEach(() => {
    vi.resetModules();
  });

  afterEach(() => {
    vi.doUnmock('node:zlib');
    vi.resetModules();
  });

  it('like this one has what is needed', () => {
    expect(isDeflateAvailable()).toBe(true);
  });

  it('is tried out once, and nothing of that is left open', async () => {
    const close = watchClose();
    const context = await import('../../lib/deflate/zlib-context.ts');
    for (let i = 0; i < 2; i++) expect(context.isDeflateAvailable()).toBe(true);
    expect(close.deflate).toHaveBeenCalledOnce();
    expect(close.inflate).toHaveBeenCalledOnce();
  });

  const lacks: [string, (zlib: Record<string, unknown>) => Record<string, unknown>][] = [
    ['whose streams have no handle', () => ({ close() {}, on() {}, reset() {} })],
    ['whose handle cannot write synchronously', () => handle({})],
    ['whose handle writes nothing', () => handle({ writeSync() {} })],
  ];

  it.each(lacks)('%s is told from it, and a stage says why it cannot be', async (_name, stream) => {
    vi.doMock('node:zlib', async (original) => {
      const zlib = await original<Record<string, unknown>>();
      return { ...zlib, createDeflateRaw: stream, createInflateRaw: stream };
    });
    const context = await import('../../lib/deflate/zlib-context.ts');
    expect(context.isDeflateAvailable()).toBe(false);
    const { FrameInflater } = await import('../../lib/deflate/frame-inflater.ts');
    expect(() => new FrameInflater()).toThrow(
      expect.objectContaining({
        code: 'WS_ERR_DEFLATE_UNAVAILABLE',
        message: expect.stringContaining('zlib of this runtime cannot be driven'),
      }),
    );
  });

  /** The inflaters of the runtime are changed. */
  function alter(change: (stream: AnyStream) => void): void {
    vi.doMock('node:zlib', async (original) => {
      const zlib = await original<typeof import('node:zlib')>();
      const createInflateRaw = (options: object) => {
        const stream = zlib.createInflateRaw(options);
        change(stream as unknown as AnyStream);
        return stream;
      };
      return { ...zlib, createInflateRaw };
    });
  }

  const flaws: [string, (stream: AnyStream) => void][] = [
    ['is silent about corrupt data', ({ _handle }) => hearErrors(_handle, () => {})],
    ['cannot be reset', (stream) => Object.assign(stream, { reset: undefined })],
    [
      'does not stop at the end of a block',
      ({ _handle }) => {
        const writeSync = _handle.writeSync.bind(_handle);
        _handle.writeSync = (flush, ...rest) => writeSync(flush === Z_BLOCK ? Z_NO_FLUSH : flush, ...rest);
      },
    ],
    [
      'inflates to something else',
      ({ _handle }) => {
        const writeSync = _handle.writeSync.bind(_handle);
        _handle.writeSync = (flush, input, at, length, output, ...rest) => {
          writeSync(flush, input, at, length, output, ...rest);
          output[0] = 0;
        };
      },
    ],
  ];

  it.each(flaws)('whose inflater %s is told, too', async (_name, change) => {
    alter(change);
    const context = await import('../../lib/deflate/zlib-context.ts');
    expect(context.isDeflateAvailable()).toBe(false);
  });

  it('that tells of corrupt data by an event, too, has what is needed', async () => {
    alter((stream) =>
      hearErrors(stream._handle, (message, tell) => {
        tell(message);
        stream.emit('error', new Error('the event'));
      }),
    );
    const context = await import('../../lib/deflate/zlib-context.ts');
    expect(context.isDeflateAvailable()).toBe(true);
    const inflate = new context.ZlibContext(settings('inflate'));
    const write = () => inflate.write(Z_NO_FLUSH, Buffer.from([0xff]), 0, 1, Buffer.alloc(1), 0);
    expect(write).toThrow('invalid block type');
    inflate.close();
  });
});

type WriteSync = (
  flush: number,
  input: Uint8Array,
  at: number,
  length: number,
  output: Uint8Array,
  outputAt: number,
  room: number,
) => void;

/** A stream of zlib, as it is inside. */
interface AnyStream {
  readonly _handle: { writeSync: WriteSync };
  emit(event: 'error', error: Error): void;
}

/** Comes between the handle and who wants to be told of its errors. */
function hearErrors(handle: object, hear: (message: string, tell: (message: string) => void) => void): void {
  let tell: (message: string) => void = () => {};
  Object.defineProperty(handle, 'onerror', {
    get: () => (message: string) => hear(message, tell),
    set: (listener: typeof tell) => {
      tell = listener;
    },
  });
}

function handle(own: object): Record<string, unknown> {
  return { _handle: own, _writeState: new Uint32Array(2), close() {}, on() {}, reset() {} };
}
