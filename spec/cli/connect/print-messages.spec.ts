import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type PrintEvents, type PrintOptions, printMessages } from '../../../lib/cli/connect/print-messages.ts';
import { Sink } from '../../../lib/cli/sink.ts';
import { createPair } from '../../../lib/endpoint/pair.ts';
import { FakeOutput } from '../../support/fake-terminal.ts';

const TEXT: PrintOptions = { isBinary: false, isTerminal: false };

/** Hears of everything, and wants so many messages. */
function listener(count = Number.POSITIVE_INFINITY): PrintEvents & { bytes: number; messages: number } {
  return {
    bytes: 0,
    messages: 0,
    arrived(bytes) {
      this.bytes += bytes;
    },
    printed() {},
    finished() {
      return ++this.messages < count;
    },
  };
}

describe('printMessages', () => {
  it.each<[string, PrintOptions, string]>([
    ['a line a message', TEXT, 'one\ntwo\x1b\nlines\n\nbinary\n'],
    ['bytes as they are', { ...TEXT, isBinary: true }, 'onetwo\x1b\nlinesbinary'],
    ['what does not command a terminal', { ...TEXT, isTerminal: true }, 'one\ntwo\\x1b\nlines\n\nbinary\n'],
  ])('prints %s', async (_what, options, text) => {
    const { client, server } = createPair();
    const output = new FakeOutput();
    const events = listener();
    const printing = printMessages(client, new Sink(output), options, events);
    for (const message of ['one', 'two\x1b\nlines', '']) await server.sendText(message);
    await server.sendBinary(Buffer.from('binary'));
    await server.close();
    await printing;
    expect([output.text, events.messages]).toEqual([text, 4]);
    expect(events.bytes).toBe(Buffer.byteLength(text));
  });

  it('stops when no more is wanted, and leaves the connection open', async () => {
    const { client, server } = createPair();
    const output = new FakeOutput();
    for (const message of ['one', 'two', 'three']) void server.sendText(message);
    await printMessages(client, new Sink(output), TEXT, listener(2));
    expect([output.text, client.isOpen()]).toEqual(['one\ntwo\n', true]);
    client.forceClose();
    server.forceClose();
  });

  it('prints a large message as it comes, and holds the server back where the output is slow', async () => {
    const { client, server } = createPair();
    const output = new PassThrough({ highWaterMark: 1000 });
    const printing = printMessages(client, new Sink(output), { ...TEXT, isBinary: true }, listener());
    const message = server.createMessage('binary');
    let isDone = false;
    void (async () => {
      for (let chunk = 0; chunk < 100; chunk++) {
        if (!message.write(new Uint8Array(65_536))) await new Promise((resolve) => message.once('drain', resolve));
      }
      isDone = true;
      message.end();
      await server.close();
    })();
    await expect.poll(() => output.readableLength).toBeGreaterThan(0);
    expect(isDone).toBe(false);
    let received = 0;
    output.on('data', (chunk: Buffer) => (received += chunk.length));
    await printing;
    expect([received, isDone]).toEqual([6_553_600, true]);
  });

  it('stops where nobody reads the output', async () => {
    const { client, server } = createPair();
    const output = new FakeOutput();
    const sink = new Sink(output);
    output.destroy();
    await sink.broken;
    await server.sendText('one');
    const events = listener();
    await printMessages(client, sink, TEXT, events);
    expect([events.messages, client.isOpen()]).toEqual([0, true]);
    client.forceClose();
    server.forceClose();
  });

  it('ends with a message that is cut', async () => {
    const { client, server } = createPair();
    const output = new FakeOutput();
    const events = listener();
    const printing = printMessages(client, new Sink(output), { ...TEXT, isBinary: true }, events);
    const message = server.createMessage('binary');
    message.write('half');
    await output.find(/half/);
    server.forceClose();
    await printing;
    expect(events.messages).toBe(0);
  });
});
