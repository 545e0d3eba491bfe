/** A connection with extensions is used like any other: what is true without them is true with them. */
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { connect } from '../../lib/endpoint/client/connect.ts';
import type { ConnectOptions, ServerOptions } from '../../lib/endpoint/endpoint-options.ts';
import { createPair } from '../../lib/endpoint/pair.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { WS_OPCODE_CONTINUATION, WS_OPCODE_TEXT } from '../../lib/protocol/opcode.ts';
import type { ExtensionStages, WsExtension } from '../../lib/stream/ws-extension.ts';
import { boundServer, turns, urlOf } from '../support/endpoints.ts';
import { createXor } from '../support/xor-extension.ts';

interface Setting {
  readonly server: ServerOptions;
  readonly client: ConnectOptions;
  readonly header: RegExp;
}

const SETTINGS: readonly [name: string, setting: Setting][] = [
  ['permessage-deflate', { server: { perMessageDeflate: true }, client: {}, header: /^permessage-deflate$/ }],
  [
    'a toy',
    {
      server: { extensions: [createXor()] },
      client: { extensions: [createXor()], perMessageDeflate: false },
      header: /^x-xor; key=42$/,
    },
  ],
  [
    'a toy and permessage-deflate',
    {
      server: { extensions: [createXor()], perMessageDeflate: true },
      client: { extensions: [createXor(7)] },
      header: /^x-xor; key=7, permessage-deflate$/,
    },
  ],
];

async function meet({ server, client }: Setting): Promise<{ client: WsConnection; ours: WsConnection }> {
  const bound = await boundServer(server);
  const accepted = bound.accept();
  const conn = await connect(urlOf(bound), client);
  onTestFinished(() => conn.forceClose());
  return { client: conn, ours: (await accepted)! };
}

const LINE = 'Grüße aus dem Strom, immer wieder. ';

describe.each(SETTINGS)('with %s', (_name, setting) => {
  const both = async (): Promise<[WsConnection, WsConnection][]> => {
    const { client, ours } = await meet(setting);
    return [
      [client, ours],
      [ours, client],
    ];
  };

  it('both ends know what was negotiated (§9.1)', async () => {
    const { client, ours } = await meet(setting);
    expect(client.extensions).toMatch(setting.header);
    expect(ours.extensions).toBe(client.extensions);
  });

  it('messages of any size arrive as they were sent, both ways, in order', async () => {
    for (const [from, to] of await both()) {
      const texts = ['', 'a', LINE, LINE.repeat(50), LINE.repeat(20_000)];
      const sent = Promise.all(texts.map((text) => from.sendText(text)));
      for (const text of texts) expect((await to.recvFrame())?.payloadText()).toBe(text);
      expect((await sent).every((bytes) => bytes > 0)).toBe(true);
      const bytes = Buffer.alloc(300_000, 'binary');
      void from.sendBinary(bytes);
      const frame = await to.recvFrame();
      expect([frame?.isBinary(), frame?.rsv, bytes.equals(frame!.payload)]).toEqual([true, 0, true]);
    }
  });

  it('what was received can be sent on', async () => {
    const { client, ours } = await meet(setting);
    const echo = pipeline(ours, ours);
    for (const text of [LINE, LINE.repeat(9_000)]) {
      void client.sendText(text);
      expect((await client.recvFrame())?.payloadText()).toBe(text);
    }
    expect(await client.close()).toMatchObject({ code: 1000, wasClean: true });
    await echo;
  });

  it('fragments and streamed messages arrive, with pings between them', async () => {
    for (const [from, to] of await both()) {
      void from.sendFrame(new WsFrame(WS_OPCODE_TEXT, Buffer.from(LINE), { isFinal: false }));
      expect(typeof (await from.ping())).toBe('number');
      void from.sendFrame(new WsFrame(WS_OPCODE_CONTINUATION, Buffer.from(LINE)));
      expect((await to.recvFrame())?.payloadText()).toBe(LINE + LINE);
      const message = from.createMessage('text');
      message.write(LINE);
      expect(typeof (await from.ping())).toBe('number');
      message.end(LINE.repeat(4_000));
      for await (const incoming of to.messages()) {
        expect(await incoming.text()).toBe(LINE.repeat(4_001));
        break;
      }
    }
  });

  it('a close travels behind what was sent before it (§5.5.1)', async () => {
    const { client, ours } = await meet(setting);
    const texts = Array.from({ length: 20 }, (_, index) => LINE.repeat(index * 100));
    for (const text of texts) void client.sendText(text);
    const closed = client.close(4000, 'done');
    const received: string[] = [];
    for await (const frame of ours) received.push(frame.payloadText());
    expect(received).toEqual(texts);
    expect(await closed).toMatchObject({ code: 4000, wasClean: true });
    expect(await ours.closeInfo).toMatchObject({ code: 4000, wasClean: true, initiator: 'remote' });
  });

  it('plain bytes and WHATWG streams pass', async () => {
    const { client, ours } = await meet(setting);
    const bytes = ours.byteStream();
    const { readable, writable } = client.toWeb();
    const writer = writable.getWriter();
    void writer.write(Buffer.from(LINE));
    const [chunk] = (await bytes.take(1).toArray()) as Buffer[];
    expect(chunk?.toString()).toBe(LINE);
    await readable.cancel().catch(() => {});
  });

  it('text that is no UTF-8 fails with 1007 behind the messages before it (§8.1)', async () => {
    const { client, ours } = await meet(setting);
    void client.sendText(LINE);
    void client.sendFrame(new WsFrame(WS_OPCODE_TEXT, Buffer.of(0x61, 0xff)));
    expect((await ours.recvFrame())?.payloadText()).toBe(LINE);
    expect(await ours.recvFrame()).toBeNull();
    expect(await ours.closeInfo).toMatchObject({ code: 1007, wasClean: false });
    expect(await client.closeInfo).toMatchObject({ code: 1007 });
  });

  it('a message above maxMessageBytes fails with 1009, however small it came (§10.4)', async () => {
    const { client, ours } = await meet({ ...setting, server: { ...setting.server, maxMessageBytes: 100_000 } });
    void client.sendText(LINE);
    void client.sendBinary(new Uint8Array(200_000));
    expect((await ours.recvFrame())?.payloadText()).toBe(LINE);
    expect(await ours.recvFrame()).toBeNull();
    expect(await client.closeInfo).toMatchObject({ code: 1009 });
  });

  it('what nobody reads holds its sender back, and nothing is lost', async () => {
    const { client, ours } = await meet(setting);
    const size = 4_000_000;
    let sent = 0;
    const sending = (async () => {
      for (let i = 0; i < 12; i++) {
        await client.sendBinary(Buffer.alloc(size, i));
        sent++;
      }
    })();
    await turns(50);
    let received = 0;
    for await (const frame of ours) {
      expect([frame.payloadLength, frame.payload[size - 1]]).toEqual([size, received]);
      if (++received === 12) break;
    }
    await sending;
    expect(sent).toBe(12);
    expect(client.bufferedAmount).toBe(0);
  });

  it('forceClose in the middle leaves nothing behind', async () => {
    const { client, ours } = await meet(setting);
    for (let i = 0; i < 20; i++) void client.sendBinary(Buffer.alloc(500_000, i));
    await ours.recvFrame();
    client.forceClose();
    ours.forceClose();
    expect(await ours.closeInfo).toMatchObject({ code: 1006 });
  });
});

it('data through extensions counts as life for idleTimeoutMs, in either direction', async () => {
  const options = { perMessageDeflate: true, idleTimeoutMs: 400, heartbeat: false };
  const { client, server } = createPair(options);
  for (let round = 0; round < 8; round++) {
    void client.sendText(LINE);
    expect((await server.recvFrame())?.payloadText()).toBe(LINE);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect([client.isOpen(), server.isOpen()]).toEqual([true, true]);
  server.resume();
  expect((await client.close()).wasClean).toBe(true);
});

describe('an extension that fails', () => {
  const fault = new Error('of the extension');
  const failing = (text: string): Transform =>
    new Transform({
      objectMode: true,
      transform: (frame: WsFrame, _encoding, callback) => {
        if (frame.payloadText() === text) callback(fault);
        else callback(null, frame);
      },
    });
  const withStages = (stages: ExtensionStages): WsExtension => ({
    ...createXor(),
    accept: (params) => ({ params, stages }),
    confirm: () => stages,
  });

  it('on the way in fails the connection with 1011, behind the messages before it (§7.4.1)', async () => {
    const stages = { createInbound: () => failing('bad') };
    const { client, server } = createPair({
      server: { extensions: [withStages(stages)] },
      client: { extensions: [withStages({})] },
    });
    for (const text of ['a', 'b', 'bad', 'c']) void client.sendText(text);
    const received: string[] = [];
    for await (const frame of server) received.push(frame.payloadText());
    expect(received).toEqual(['a', 'b']);
    const info = await server.closeInfo;
    expect(info).toMatchObject({ code: 1011, wasClean: false, error: { code: 'WS_ERR_EXTENSION', cause: fault } });
    expect(await client.closeInfo).toMatchObject({ code: 1011, initiator: 'remote' });
  });

  it('on the way out fails the connection with 1011, and what waits is told (§7.4.1)', async () => {
    const stages = { createOutbound: () => failing('bad') };
    const { client, server } = createPair({
      client: { extensions: [withStages(stages)] },
      server: { extensions: [withStages({})] },
    });
    const sends = ['a', 'bad', 'c', 'd'].map((text) => client.sendText(text));
    expect((await server.recvFrame())?.payloadText()).toBe('a');
    expect(await server.recvFrame()).toBeNull();
    expect(await server.closeInfo).toMatchObject({ code: 1011, initiator: 'remote' });
    expect((await Promise.all(sends)).slice(2)).toEqual([0, 0]);
    expect((await client.closeInfo).error).toMatchObject({ code: 'WS_ERR_EXTENSION', cause: fault });
    expect([await client.sendText('late'), client.bufferedAmount]).toEqual([0, 0]);
  });

  it('in the middle of a streamed message errs that message, and nobody hangs', async () => {
    const stages = { createOutbound: () => failing('bad') };
    const { client, server } = createPair({
      client: { extensions: [withStages(stages)] },
      server: { extensions: [withStages({})] },
    });
    const message = client.createMessage('text');
    message.write('good');
    message.write('bad');
    message.write('never');
    for await (const incoming of server.messages()) await expect(incoming.text()).rejects.toThrow();
    expect(await client.closeInfo).toMatchObject({ code: 1011, wasClean: false });
    expect(message.destroyed).toBe(true);
  });
});
