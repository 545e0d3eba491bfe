import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { sendInput } from '../../../lib/cli/connect/send-input.ts';
import { LineError } from '../../../lib/cli/lines.ts';
import type { WsConnection } from '../../../lib/connection/ws-connection.ts';
import { createPair } from '../../../lib/endpoint/pair.ts';
import type { WsFrame } from '../../../lib/protocol/frame.ts';
import { deferred, turns } from '../../support/endpoints.ts';
import { FakeInput } from '../../support/fake-terminal.ts';

const LINES = { isBinary: false, isWhole: false, maxLineBytes: 100 };

interface Scene {
  readonly input: FakeInput;
  readonly client: WsConnection;
  readonly server: WsConnection;
  readonly sent: WsFrame[];
  readonly sending: Promise<boolean>;
}

function begin(options: Partial<typeof LINES> = {}): Scene {
  const { client, server } = createPair();
  const input = new FakeInput();
  const sent: WsFrame[] = [];
  const sending = sendInput(input, client, { ...LINES, ...options }, (frame) => sent.push(frame));
  return { input, client, server, sent, sending };
}

async function readAll(conn: WsConnection, count: number): Promise<[number, string][]> {
  const messages: [number, string][] = [];
  while (messages.length < count) {
    const frame = (await conn.recvFrame())!;
    messages.push([frame.opcode, frame.payloadText()]);
  }
  return messages;
}

function part({ client, server }: Scene): void {
  client.forceClose();
  server.forceClose();
}

describe('sendInput', () => {
  it('sends each line as a text message, as it comes', async () => {
    const scene = begin();
    scene.input.write('one\ntw');
    expect(await readAll(scene.server, 1)).toEqual([[1, 'one']]);
    scene.input.end('o\n\nthree');
    expect(await readAll(scene.server, 3)).toEqual([
      [1, 'two'],
      [1, ''],
      [1, 'three'],
    ]);
    expect(await scene.sending).toBe(true);
    expect(scene.sent.map((frame) => frame.payloadText())).toEqual(['one', 'two', '', 'three']);
    part(scene);
  });

  it('sends bytes in binary messages', async () => {
    const scene = begin({ isBinary: true });
    scene.input.end(Buffer.of(1, 2, 255));
    expect((await scene.server.recvFrame())?.payload).toEqual(Buffer.of(1, 2, 255));
    expect(await scene.sending).toBe(true);
    part(scene);
  });

  it.each([
    [false, 1],
    [true, 2],
  ])('sends all of it as one message, bit by bit (binary: %s)', async (isBinary, opcode) => {
    const scene = begin({ isWhole: true, isBinary });
    const messages = scene.server.messages();
    scene.input.write('a\n');
    const { value: message } = await messages.next();
    const text = message.text();
    scene.input.end('b\n');
    expect([await text, await scene.sending]).toEqual(['a\nb\n', true]);
    expect(scene.sent.map((frame) => [frame.opcode, frame.isFinal])).toEqual([
      [opcode, false],
      [opcode, false],
    ]);
    part(scene);
  });

  it.each([false, true])('says that not all was sent where the connection ends before (whole: %s)', async (isWhole) => {
    const scene = begin({ isWhole });
    scene.input.write('a\n');
    scene.server.forceClose();
    await scene.client.closeInfo;
    scene.input.end('b\n');
    expect(await scene.sending).toBe(false);
  });

  it('refuses lines that are too long, and what is no text', async () => {
    const long = begin({ maxLineBytes: 3 });
    long.input.end('abcd');
    await expect(long.sending).rejects.toThrow(new LineError('line 1 is longer than 3 bytes', true));
    part(long);
    for (const isWhole of [false, true]) {
      const scene = begin({ isWhole });
      scene.input.end(Buffer.of(0xff));
      await expect(scene.sending).rejects.toBeInstanceOf(LineError);
      part(scene);
    }
  });

  it.each([false, true])('passes on the error of the input (whole: %s)', async (isWhole) => {
    const scene = begin({ isWhole });
    scene.input.destroy(new Error('EISDIR'));
    await expect(scene.sending).rejects.toThrow('EISDIR');
    part(scene);
  });

  it('waits for who hears of it', async () => {
    const { client, server } = createPair();
    const input = new FakeInput();
    const heard = deferred();
    const texts: string[] = [];
    const sending = sendInput(input, client, LINES, (frame) => {
      texts.push(frame.payloadText());
      return heard.promise;
    });
    input.end('one\ntwo\n');
    await server.recvFrame();
    await turns();
    expect(texts).toEqual(['one']);
    heard.resolve();
    expect([await sending, texts]).toEqual([true, ['one', 'two']]);
    client.forceClose();
    server.forceClose();
  });

  it('takes no more of the input than the connection takes', async () => {
    const scene = begin({ isBinary: true });
    let taken = 0;
    const chunks = function* (): Generator<Uint8Array> {
      for (; taken < 64; taken++) yield new Uint8Array(65_536);
    };
    Readable.from(chunks()).pipe(scene.input);
    await expect.poll(() => scene.client.bufferedAmount).toBeGreaterThan(0);
    await turns();
    expect(taken).toBeLessThan(32);
    let received = 0;
    for await (const frame of scene.server) if ((received += frame.payloadLength) === 64 * 65_536) break;
    expect(await scene.sending).toBe(true);
    part(scene);
  });
});
