import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemberQueue } from '../../../lib/fanout/topic/member-queue.ts';

const any = { maxQueuedBytes: Number.POSITIVE_INFINITY, maxQueuedMessages: Number.POSITIVE_INFINITY };

describe('MemberQueue', () => {
  it('gives out what was put in, in order, and keeps both counts, whatever the steps', () => {
    const steps = fc.array(fc.option(fc.nat(1000), { nil: 'take' as const, freq: 2 }), { maxLength: 400 });
    fc.assert(
      fc.property(steps, (taken) => {
        const queue = new MemberQueue<{ size: number }>();
        const model: { size: number }[] = [];
        for (const step of taken) {
          if (step === 'take') expect(queue.shift()).toBe(model.shift());
          else {
            const entry = { size: step };
            queue.push(entry);
            model.push(entry);
          }
          expect(queue.length).toBe(model.length);
          expect(queue.bytes).toBe(model.reduce((sum, { size }) => sum + size, 0));
        }
      }),
    );
  });

  it('takes what stays within both bounds', () => {
    const queue = new MemberQueue<{ size: number }>();
    queue.push({ size: 60 });
    expect(queue.fits({ size: 40 }, { ...any, maxQueuedBytes: 100 })).toBe(true);
    expect(queue.fits({ size: 41 }, { ...any, maxQueuedBytes: 100 })).toBe(false);
    expect(queue.fits({ size: 1 }, { ...any, maxQueuedMessages: 2 })).toBe(true);
    expect(queue.fits({ size: 1 }, { ...any, maxQueuedMessages: 1 })).toBe(false);
  });

  it('takes one of any size where nothing waits', () => {
    const queue = new MemberQueue<{ size: number }>();
    expect(queue.fits({ size: 1000 }, { maxQueuedBytes: 10, maxQueuedMessages: 1 })).toBe(true);
  });
});
