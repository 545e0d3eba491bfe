import { describe, expect, it, vi } from 'vitest';
import { PreparedFrame } from '../../../lib/fanout/prepared-frame.ts';
import { Publication } from '../../../lib/fanout/topic/publication.ts';

const tick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

describe('Publication', () => {
  it('takes its bytes, and something beside them', () => {
    expect(new Publication(PreparedFrame.text('x'.repeat(100))).size).toBe(612);
  });

  it('is released at once where nobody is waited for', () => {
    const publication = new Publication(PreparedFrame.text('x'));
    publication.release({});
    const released = vi.fn();
    publication.whenReleased(released);
    expect(released).toHaveBeenCalledOnce();
  });

  it('is released once all who are waited for have it, and not within their turn', async () => {
    const publication = new Publication(PreparedFrame.text('x'));
    const [one, other] = [{}, {}];
    publication.holdFor(one);
    publication.holdFor(other);
    const released = vi.fn();
    publication.whenReleased(released);
    publication.release(one);
    publication.release(one);
    publication.release({});
    await tick();
    expect(released).not.toHaveBeenCalled();
    expect(publication.isReleased).toBe(false);
    publication.release(other);
    expect(publication.isReleased).toBe(true);
    expect(released).not.toHaveBeenCalled();
    publication.release(other);
    await tick();
    expect(released).toHaveBeenCalledOnce();
  });

  it('is released at once where all who were waited for have it already', () => {
    const publication = new Publication(PreparedFrame.text('x'));
    publication.holdFor(publication);
    publication.release(publication);
    const released = vi.fn();
    publication.whenReleased(released);
    expect(released).toHaveBeenCalledOnce();
  });
});
