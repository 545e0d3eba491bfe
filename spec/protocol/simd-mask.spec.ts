import { afterEach, describe, expect, it, vi } from 'vitest';
import { pattern } from '../vectors/frames.ts';

/** Node's types do not know it. */
interface Platform {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { exports: { memory: object; xor: (...words: number[]) => void } };
}

const platform = (globalThis as unknown as { WebAssembly: Platform }).WebAssembly;

const load = async (): Promise<typeof import('../../lib/protocol/mask.ts')> => {
  vi.resetModules();
  return import('../../lib/protocol/mask.ts');
};

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

describe('masking by sixteen bytes at a step', () => {
  it('is there on Node, is compiled once, and has the long runs, 8 KiB at a time', async () => {
    const { mask, maskInto } = await load();
    let instances = 0;
    let calls = 0;
    class Instance {
      readonly exports: object;

      constructor(module: object) {
        const { memory, xor } = new platform.Instance(module).exports;
        const counting = (...words: number[]): void => {
          calls += 1;
          xor(...words);
        };
        this.exports = { memory, xor: counting };
        instances += 1;
      }
    }
    vi.stubGlobal('WebAssembly', { Module: platform.Module, Instance });
    const bytes = pattern(16_385);
    mask(bytes, 0, 2047, 1);
    mask(bytes, 2047, 4094, 1);
    maskInto(new Uint8Array(2047), 0, bytes, 2047, 4094, 1);
    maskInto(new Uint8Array(9000), 0, bytes, 0, 9000, 0);
    expect([instances, calls]).toEqual([0, 0]);
    mask(bytes, 1, 2049, 1);
    maskInto(new Uint8Array(2048), 0, bytes, 1, 2049, 1);
    expect([instances, calls]).toEqual([1, 2]);
    maskInto(new Uint8Array(16_385), 0, bytes, 0, 16_385, 1);
    expect([instances, calls]).toEqual([1, 5]);
    const { hasSimdMask } = await import('../../lib/protocol/simd-mask.ts');
    expect(hasSimdMask()).toBe(true);
  });

  it.each([
    ['there is no WebAssembly', undefined],
    ['a policy forbids it', { Module: class {}, Instance: undefined }],
  ])('is done without where %s', async (_, stub) => {
    vi.stubGlobal('WebAssembly', stub);
    const { mask, maskInto } = await load();
    const bytes = pattern(9001);
    mask(bytes, 3, 9001, 0x04030201);
    const copy = new Uint8Array(9001);
    maskInto(copy, 3, pattern(9001), 3, 9001, 0x04030201);
    copy.set(pattern(3));
    expect(Buffer.compare(bytes, copy)).toBe(0);
    expect(bytes[3]! ^ pattern(4)[3]!).toBe(1);
    expect(bytes[9000]! ^ pattern(9001)[9000]!).toBe(2);
    const { hasSimdMask } = await import('../../lib/protocol/simd-mask.ts');
    expect(hasSimdMask()).toBe(false);
  });
});
