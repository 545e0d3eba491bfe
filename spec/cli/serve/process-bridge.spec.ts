import { describe, expect, it, onTestFinished } from 'vitest';
import { type BridgeOptions, ProcessBridge } from '../../../lib/cli/serve/process-bridge.ts';
import type { WsConnection } from '../../../lib/connection/ws-connection.ts';
import { createPair } from '../../../lib/endpoint/pair.ts';

interface Scene {
  readonly client: WsConnection;
  readonly bridge: ProcessBridge;
  readonly ended: Promise<string | undefined>;
}

function begin(script: string, options: Partial<BridgeOptions> = {}): Scene {
  const { client, server } = createPair();
  const bridge = new ProcessBridge(server, {
    ...{ command: 'sh', args: ['-c', script], isBinary: false, graceMs: 20, maxLineBytes: 1000 },
    ...{ env: process.env, ...options },
  });
  onTestFinished(() => {
    bridge.kill();
    client.forceClose();
  });
  return { client, bridge, ended: bridge.run() };
}

const nextText = async (conn: WsConnection): Promise<string | undefined> => (await conn.recvFrame())?.payloadText();

describe('ProcessBridge', () => {
  it('makes a line of each message, and a message of each line', async () => {
    const { client, ended } = begin('while read -r line; do echo "<$line>"; done');
    await client.sendText('one');
    expect(await nextText(client)).toBe('<one>');
    await client.sendText('two\nthree');
    expect([await nextText(client), await nextText(client)]).toEqual(['<two>', '<three>']);
    expect((await client.close()).wasClean).toBe(true);
    expect(await ended).toBeUndefined();
  });

  it('passes bytes on as they are with isBinary', async () => {
    const { client, ended } = begin('cat', { isBinary: true });
    await client.sendBinary(Buffer.of(0, 255, 10));
    expect((await client.recvFrame())?.payload).toEqual(Buffer.of(0, 255, 10));
    await client.close();
    expect(await ended).toBeUndefined();
  });

  it('tells the process what the connection is', async () => {
    const { client, ended } = begin('echo "$COLOUR"', { env: { ...process.env, COLOUR: 'blue' } });
    expect([await nextText(client), await client.recvFrame()]).toEqual(['blue', null]);
    await ended;
  });

  it.each([
    ['echo last; exit 0', 1000, ''],
    ['echo last; exit 3', 1011, 'exit code 3'],
    ['echo last; kill -KILL $$', 1011, 'ended by SIGKILL'],
  ])('closes behind what "%s" has printed, with %i', async (script, code, reason) => {
    const { client, ended } = begin(script);
    expect([await nextText(client), await client.recvFrame()]).toEqual(['last', null]);
    expect(await client.closeInfo).toMatchObject({ code, reason, wasClean: true });
    expect(await ended).toBeUndefined();
  });

  it('closes with 1011, and says why here, where there is no such command', async () => {
    const { client, ended } = begin('', { command: '/no/such/command' });
    expect(await client.recvFrame()).toBeNull();
    expect(await client.closeInfo).toMatchObject({ code: 1011, reason: 'the command could not be started' });
    expect(await ended).toContain('ENOENT');
  });

  it.each([
    ['printf "\\377\\n"; cat', 'the process printed what cannot be sent: line 1 is not UTF-8'],
    ['echo ok; echo too long for this; cat', 'the process printed what cannot be sent: line 2 is longer than 5 bytes'],
  ])('closes with 1011, and ends the process, where it prints no lines of text (%s)', async (script, why) => {
    const { client, ended } = begin(script, { maxLineBytes: 5 });
    for await (const _frame of client);
    expect(await client.closeInfo).toMatchObject({ code: 1011 });
    expect(await ended).toBe(why);
  });

  it('ends the input when the connection ends, and leaves the process the time of grace', async () => {
    const { client, ended } = begin('cat >/dev/null; exit 0', { graceMs: 60_000 });
    await client.close();
    expect(await ended).toBeUndefined();
  });

  it.each([
    ['that does not read its input', 'exec sleep 1000'],
    ['that does not hear SIGTERM', 'trap "" TERM; echo ready; while :; do sleep 0.05; done'],
  ])('ends a process %s, with SIGTERM and then with SIGKILL', async (_what, script) => {
    const { client, ended } = begin(script);
    if (script.includes('ready')) expect(await nextText(client)).toBe('ready');
    client.forceClose();
    expect(await ended).toBeUndefined();
  });

  it('sends what the process prints when it has closed its input, and reads on for the close', async () => {
    const { client, ended } = begin('exec <&-; echo one; sleep 0.05; echo two');
    await client.sendText('nobody hears this');
    expect([await nextText(client), await nextText(client)]).toEqual(['one', 'two']);
    expect(await client.recvFrame()).toBeNull();
    await ended;
  });

  it('holds the process back where the connection is not read', async () => {
    const { client, ended } = begin('head -c 20000000 /dev/zero', { isBinary: true });
    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });
    let received = (await client.recvFrame())!.payloadLength;
    // Another process has time for a whole life.
    const other = begin('echo done');
    expect(await nextText(other.client)).toBe('done');
    expect(await other.client.recvFrame()).toBeNull();
    await other.ended;
    expect(isOver).toBe(false);
    for await (const frame of client) received += frame.payloadLength;
    expect(received).toBe(20_000_000);
    await ended;
  });
});
