import { describe, expect, it } from 'vitest';
import { WS_SEND_BUFFER } from '../../lib/protocol/sizes.ts';
import { returnBatchBuffer, takeBatchBuffer } from '../../lib/stream/batch-buffer.ts';

/** Takes what the process may have left over from before. */
const drain = (): void => {
  takeBatchBuffer(0);
  returnBatchBuffer(Buffer.alloc(0));
};

describe('batch buffers', () => {
  it('are as large as a full frame with its header, in memory of their own', () => {
    drain();
    const buffer = takeBatchBuffer(100);
    expect(buffer).toHaveLength(WS_SEND_BUFFER);
    expect(buffer.buffer.byteLength).toBe(WS_SEND_BUFFER);
  });

  it('are used on from where a batch has ended, and never by two at a time', () => {
    drain();
    const first = takeBatchBuffer(100);
    returnBatchBuffer(first.subarray(5000));
    const second = takeBatchBuffer(100);
    expect(second.buffer).toBe(first.buffer);
    expect(second.byteOffset).toBe(first.byteOffset + 5000);
    expect(takeBatchBuffer(100).buffer).not.toBe(first.buffer);
  });

  it('are not used for a frame that they cannot hold', () => {
    drain();
    const first = takeBatchBuffer(100);
    returnBatchBuffer(first.subarray(-2000));
    expect(takeBatchBuffer(2001).buffer).not.toBe(first.buffer);
    expect(takeBatchBuffer(2000).buffer).toBe(first.buffer);
  });

  it('are kept where the rest is the largest, and not where it is tiny', () => {
    drain();
    const [tiny, large, small] = [Buffer.alloc(1000), Buffer.alloc(3000), Buffer.alloc(2000)];
    for (const rest of [tiny, large, small]) returnBatchBuffer(rest);
    expect(takeBatchBuffer(1).buffer).toBe(large.buffer);
    returnBatchBuffer(tiny);
    expect(takeBatchBuffer(1)).toHaveLength(WS_SEND_BUFFER);
  });

  it('are shares of what is wanted while somebody else gathers too, and full again when he has done', () => {
    drain();
    const first = takeBatchBuffer(100);
    const shares = [1, 125, 3000, WS_SEND_BUFFER].map((wanted) => takeBatchBuffer(wanted).length);
    expect(shares).toEqual([512, 512, 6000, WS_SEND_BUFFER]);
    returnBatchBuffer(first.subarray(-1));
    expect(takeBatchBuffer(1)).toHaveLength(WS_SEND_BUFFER);
  });
});
