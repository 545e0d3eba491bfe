import { describe, expect, it } from 'vitest';
import { Trace, traceMessages } from '../../../lib/cli/connect/trace.ts';
import { Sink } from '../../../lib/cli/sink.ts';
import { createPair } from '../../../lib/endpoint/pair.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { FakeOutput } from '../../support/fake-terminal.ts';

/** The events without their times, which are times. */
function eventsOf(output: FakeOutput): object[] {
  const lines = output.text.split('\n').slice(0, -1);
  return lines.map((line) => {
    const { time, ...event } = JSON.parse(line) as { time: string };
    expect(new Date(time).toISOString()).toBe(time);
    return event;
  });
}

const wants = (count: number) => {
  let seen = 0;
  return { arrived() {}, printed() {}, finished: () => ++seen < count };
};

describe('Trace', () => {
  it('writes a line of JSON for each frame, with what is in it', async () => {
    const output = new FakeOutput();
    const trace = new Trace(new Sink(output));
    await trace.frame('out', WsFrame.text('Grüße\n'));
    await trace.frame('in', WsFrame.binary(Buffer.of(1, 2, 255)));
    await trace.frame('out', new WsFrame(2, Buffer.of(7), { isFinal: false }));
    await trace.frame('in', WsFrame.close(4000, 'enough'));
    await trace.frame('in', WsFrame.close());
    await trace.frame('in', WsFrame.ping('p'));
    expect(eventsOf(output)).toEqual([
      { event: 'frame', direction: 'out', opcode: 'text', length: 8, text: 'Grüße\n' },
      { event: 'frame', direction: 'in', opcode: 'binary', length: 3, base64: 'AQL/' },
      { event: 'frame', direction: 'out', opcode: 'binary', length: 1, isFinal: false, base64: 'Bw==' },
      { event: 'frame', direction: 'in', opcode: 'close', length: 8, code: 4000, reason: 'enough' },
      { event: 'frame', direction: 'in', opcode: 'close', length: 0, code: 1005, reason: '' },
      { event: 'frame', direction: 'in', opcode: 'ping', length: 1, base64: 'cA==' },
    ]);
  });

  it('tells of the beginning and the end', async () => {
    const { client, server } = createPair();
    const output = new FakeOutput();
    const trace = new Trace(new Sink(output));
    await trace.opened(client, 'ws://x/');
    server.forceClose();
    client.forceClose();
    await trace.closed({ code: 1006, reason: '', wasClean: false, initiator: 'local', error: new Error('why') });
    expect(eventsOf(output)).toEqual([
      { event: 'open', url: 'ws://x/', protocol: '', extensions: '' },
      { event: 'closed', code: 1006, reason: '', wasClean: false, initiator: 'local', error: 'why' },
    ]);
  });
});

describe('traceMessages', () => {
  const options = { client: { controlFrames: true, autoPong: false } };

  it('traces control frames too, and answers pings where that is seen (§5.5.2)', async () => {
    const { client, server } = createPair(options);
    const output = new FakeOutput();
    const tracing = traceMessages(client, new Trace(new Sink(output)), wants(9));
    expect(await server.ping('are you there')).not.toBeNull();
    await server.sendText('yes');
    await server.close(1000, 'done');
    await tracing;
    expect(eventsOf(output)).toMatchObject([
      { direction: 'in', opcode: 'ping', length: 13 },
      { direction: 'out', opcode: 'pong', length: 13 },
      { direction: 'in', opcode: 'text', text: 'yes' },
      { direction: 'in', opcode: 'close', code: 1000, reason: 'done' },
    ]);
  });

  it('traces the end, and no more messages, when enough have come', async () => {
    const { client, server } = createPair(options);
    const output = new FakeOutput();
    const tracing = traceMessages(client, new Trace(new Sink(output)), wants(1));
    await server.sendText('one');
    await server.sendText('two');
    await server.close();
    await tracing;
    expect(eventsOf(output)).toMatchObject([{ text: 'one' }, { opcode: 'close' }]);
  });

  it('stops where nobody reads the output', async () => {
    const { client, server } = createPair(options);
    const output = new FakeOutput();
    const sink = new Sink(output);
    output.destroy();
    await sink.broken;
    await server.sendText('one');
    await traceMessages(client, new Trace(sink), wants(9));
    expect(client.isOpen()).toBe(true);
    client.forceClose();
    server.forceClose();
  });
});
