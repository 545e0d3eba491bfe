import { describe, expect, it } from 'vitest';
import { createLazyPair, type LazyMachine } from '../../lib/web/lazy-pair.ts';
import { turns } from '../support/endpoints.ts';

/** Takes a text apart, letter by letter; `!` is a violation, a rest of `?` is one at the end. */
class Letters implements LazyMachine<string, string> {
  made = 0;
  #text = '';
  #rest = '';

  push(text: string): void {
    if (typeof text !== 'string') throw new TypeError('no text');
    this.#text += text;
  }

  next(): string | null {
    const [letter = null] = this.#text;
    this.#text = this.#text.slice(1);
    if (letter === '!') throw new Error('violation');
    if (letter === '(') this.#rest = ')';
    if (letter !== null) this.made++;
    return letter;
  }

  letGo(): boolean {
    return this.#text === '';
  }

  end(): void {
    if (this.#text + this.#rest === '?') throw new Error('unfinished');
    this.#text = this.#rest;
    this.#rest = '';
  }

  expectMore(): void {
    this.#rest = '?';
  }
}

function pair(readableHighWaterMark = 0) {
  const machine = new Letters();
  const { readable, writable } = createLazyPair<string, string>(machine, {
    writableHighWaterMark: 10,
    inputSize: (text) => Object(text).length ?? 0,
    readableHighWaterMark,
    outputSize: (letter) => letter.length,
  });
  return { machine, readable, writable, reader: readable.getReader(), writer: writable.getWriter() };
}

const outcome = (promise: Promise<unknown>) =>
  promise.then(
    (value) => ['ok', value],
    (error) => ['failed', (error as Error).message ?? error],
  );

describe('a lazy pair', () => {
  it('makes nothing before somebody reads, and then one piece for one read', async () => {
    const { machine, reader, writer } = pair();
    void writer.write('abc');
    await turns();
    expect(machine.made).toBe(0);
    expect(await reader.read()).toEqual({ value: 'a', done: false });
    await turns();
    expect(machine.made).toBe(1);
  });

  it('makes as many pieces ahead as the reading queue has room for', async () => {
    const { machine, writer } = pair(3);
    void writer.write('abcdef');
    await turns();
    expect(machine.made).toBe(3);
  });

  it('resolves a write as soon as its last piece is made, and not before', async () => {
    const { reader, writer } = pair();
    let isWritten = false;
    void writer.write('ab').then(() => {
      isWritten = true;
    });
    await reader.read();
    await turns();
    expect(isWritten).toBe(false);
    await reader.read();
    await turns();
    expect(isWritten).toBe(true);
  });

  it('serves a reader that came before the writer, and several at once', async () => {
    const { reader, writer } = pair();
    const reads = [reader.read(), reader.read(), reader.read()];
    void writer.write('ab');
    void writer.write('c');
    expect((await Promise.all(reads)).map(({ value }) => value)).toEqual(['a', 'b', 'c']);
  });

  it('tells a writer when there is room', async () => {
    const { reader, writer } = pair();
    void writer.write('a'.repeat(10));
    expect(writer.desiredSize).toBe(0);
    for (let count = 0; count < 10; count++) await reader.read();
    await writer.ready;
    expect(writer.desiredSize).toBe(10);
  });

  it('ends the readable when the writable is closed, after what the end brings', async () => {
    const { reader, writer } = pair();
    void writer.write('(');
    const closed = writer.close();
    expect(await reader.read()).toEqual({ value: '(', done: false });
    expect(await reader.read()).toEqual({ value: ')', done: false });
    expect((await reader.read()).done).toBe(true);
    await closed;
  });

  it.each([0, 5])('reads what came before a violation, then fails, with room for %i pieces', async (room) => {
    const { reader, writer } = pair(room);
    const written = outcome(writer.write('ab!c'));
    expect((await reader.read()).value).toBe('a');
    expect((await reader.read()).value).toBe('b');
    expect(await outcome(reader.read())).toEqual(['failed', 'violation']);
    expect(await written).toEqual(['failed', 'violation']);
    expect(await outcome(writer.closed)).toEqual(['failed', 'violation']);
    expect(await outcome(reader.closed)).toEqual(['failed', 'violation']);
  });

  it('tells the writer of a violation before the reader has reached it', async () => {
    const { reader, writer } = pair(5);
    expect(await outcome(writer.write('ab!'))).toEqual(['failed', 'violation']);
    await turns();
    expect((await reader.read()).value).toBe('a');
    expect((await reader.read()).value).toBe('b');
    expect(await outcome(reader.read())).toEqual(['failed', 'violation']);
  });

  it('fails both sides when the machine refuses an input, and when it refuses to end', async () => {
    const refused = pair();
    expect(await outcome(refused.writer.write(7 as never))).toEqual(['failed', 'no text']);
    expect(await outcome(refused.reader.read())).toEqual(['failed', 'no text']);
    const unfinished = pair();
    unfinished.machine.expectMore();
    expect(await outcome(unfinished.writer.close())).toEqual(['failed', 'unfinished']);
    expect(await outcome(unfinished.reader.read())).toEqual(['failed', 'unfinished']);
  });

  it('fails the writable when the readable is cancelled, and the write that is under way', async () => {
    const { reader, writer } = pair();
    const written = outcome(writer.write('abc'));
    await reader.read();
    await reader.cancel(new Error('enough'));
    expect(await written).toEqual(['failed', 'enough']);
    expect(await outcome(writer.write('d'))).toEqual(['failed', 'enough']);
  });

  it('fails the readable when the writable is aborted, though a write waits for a reader', async () => {
    const { reader, writer } = pair();
    const written = outcome(writer.write('abc'));
    await turns();
    await writer.abort(new Error('never mind'));
    expect(await written).toEqual(['failed', 'never mind']);
    expect(await outcome(reader.read())).toEqual(['failed', 'never mind']);
  });
});
