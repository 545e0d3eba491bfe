import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { QueueAccount } from '../../../lib/connection/writing/queue-account.ts';

/** A Writable whose writes wait until they are let go. */
class Gate extends Writable {
  held = 0;
  countsInHand = false;
  readonly account = new QueueAccount(this, { hold: (bytes) => void (this.held += bytes) });
  #callback: (() => void) | undefined;

  override write(chunk: unknown): boolean {
    this.account.add();
    const hasRoom = super.write(chunk);
    this.account.update();
    return hasRoom;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.account.take(this.countsInHand ? chunk.length : undefined);
    this.#callback = callback;
  }

  open(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    this.account.settle();
    callback?.();
    this.account.update();
  }
}

describe('the account of a queue', () => {
  it('holds the bytes that wait, and something for each chunk behind the one in hand', () => {
    const gate = new Gate();
    gate.write('abcd');
    expect(gate.held).toBe(4);
    gate.write('');
    gate.write('efg');
    expect(gate.held).toBe(7 + 2 * 192);
  });

  it('gives back what has left, all of it in the end', async () => {
    const gate = new Gate();
    for (const text of ['abcd', 'ef', 'g']) gate.write(text);
    const seen: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      gate.open();
      seen.push(gate.held);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seen).toEqual([3 + 192, 1, 0]);
  });

  it('leaves out what whoever sends it counts, until that has left', () => {
    const gate = new Gate();
    gate.countsInHand = true;
    gate.write('abcd');
    gate.write('ef');
    expect(gate.held).toBe(2 + 192);
    gate.open();
    expect(gate.held).toBe(0);
    gate.open();
    expect(gate.held).toBe(0);
    gate.write('g');
    expect(gate.held).toBe(0);
  });

  it('gives back all of what will never leave, and counts nothing behind the end', () => {
    const gate = new Gate();
    gate.write('abcd');
    gate.write('ef');
    gate.end();
    gate.account.add();
    gate.account.update();
    expect(gate.held).toBe(6 + 192);
    gate.destroy();
    gate.account.update();
    expect(gate.held).toBe(0);
    gate.write('late');
    expect(gate.held).toBe(0);
  });
});
