import { describe, expect, it, onTestFinished } from 'vitest';
import { CONNECT_OPTIONS, parseConnect } from '../../../lib/cli/connect/connect-arguments.ts';
import { Conversation } from '../../../lib/cli/connect/conversation.ts';
import type { WsConnection } from '../../../lib/connection/ws-connection.ts';
import { createPair } from '../../../lib/endpoint/pair.ts';
import { wordsOf } from '../../support/command-words.ts';
import { FakeTerminal } from '../../support/fake-terminal.ts';
import { drawScreen } from '../../support/screen.ts';

interface Scene {
  readonly terminal: FakeTerminal;
  readonly server: WsConnection;
  readonly conversation: Conversation;
  readonly exitCode: Promise<number>;
  type(text: string): void;
  screen(): string[];
}

function begin(columns = 80): Scene {
  const { client, server } = createPair();
  const terminal = new FakeTerminal();
  Object.assign(terminal.stdin, { isTTY: true });
  Object.assign(terminal.stdout, { isTTY: true, columns });
  const command = parseConnect(wordsOf('ws://localhost/', CONNECT_OPTIONS));
  const conversation = new Conversation(client, command, terminal);
  const exitCode = conversation.run();
  onTestFinished(() => server.forceClose());
  return {
    terminal,
    server,
    conversation,
    exitCode,
    type: (text) => terminal.stdin.write(text),
    screen: () => drawScreen(terminal.stdout.text, columns),
  };
}

const nextText = async (server: WsConnection): Promise<string | undefined> => (await server.recvFrame())?.payloadText();

describe('Conversation', () => {
  it('sends a line as a message, prints messages, and says how it ended', async () => {
    const { server, exitCode, type, screen, terminal } = begin();
    type('hello\r');
    expect(await nextText(server)).toBe('hello');
    await server.sendText('two\nlines');
    await terminal.stdout.find(/lines/);
    await server.close(1000, 'bye');
    expect(await exitCode).toBe(0);
    expect(screen()).toEqual([
      'connected to ws://localhost/; /help says what can be done',
      '> hello',
      '< two',
      '  lines',
      'the server closed the connection with 1000 (normal): bye',
    ]);
  });

  it.each([
    ['pasted', (scene: Scene, text: string) => scene.type(text)],
    ['typed', (scene: Scene, text: string) => void [...text].map((letter) => scene.type(letter))],
  ])('prints above what is being %s, over however many rows it has grown', async (_how, enter) => {
    const scene = begin(40);
    const { server, terminal, screen } = scene;
    const text =
      'a line that is longer than the terminal is wide, and then some more of it, so that it takes up a few rows';
    enter(scene, text);
    await terminal.stdout.find(/rows$/);
    for (const message of ['one', 'two', 'three']) await server.sendText(message);
    await terminal.stdout.find(/< three[\s\S]*rows/);
    const drawn = ['connected to ws://localhost/; /help says', ' what can be done', '< one', '< two', '< three'];
    const rows = `> ${text}`.match(/.{1,40}/g)!.map((row) => row.trimEnd());
    expect(screen()).toEqual([...drawn, ...rows]);
    scene.type('!\r');
    expect(await nextText(server)).toBe(`${text}!`);
    await server.close();
    await scene.exitCode;
  });

  it('keeps what was typed, and the cursor in it, and brings earlier lines back', async () => {
    const { server, exitCode, type, terminal } = begin();
    type('first\r');
    expect(await nextText(server)).toBe('first');
    type('ac\x1b[D');
    await server.sendText('in between');
    await terminal.stdout.find(/in between/);
    type('b');
    type('\r');
    expect(await nextText(server)).toBe('abc');
    type('\x1b[A\x1b[A\r');
    expect(await nextText(server)).toBe('first');
    await server.close();
    expect(await exitCode).toBe(0);
  });

  it('shows bytes as a hex dump, and lets no text command the terminal', async () => {
    const { server, exitCode, terminal } = begin();
    await server.sendBinary(Buffer.from('\x00\x01hello'));
    await server.sendText('\x1b[2J\x1b]0;mine\x07');
    await server.sendText('x'.repeat(20_001));
    await terminal.stdout.find(/and 1 more characters/);
    await server.close();
    await exitCode;
    expect(terminal.stdout.text).toContain('< binary, 7 bytes\n  000000  00 01 68 65 6c 6c 6f');
    expect(terminal.stdout.text).toContain('\\x1b[2J\\x1b]0;mine\\x07');
  });

  it('measures, explains and helps', async () => {
    const { server, exitCode, type, terminal } = begin();
    type('/ping\r/help\r/clsoe\r\r//x\r');
    expect(await nextText(server)).toBe('/x');
    await terminal.stdout.find(/pong after \d+\.\d ms/);
    expect(terminal.stdout.text).toContain('  /ping [data]');
    expect(terminal.stdout.text).toContain('Did you mean /close?');
    await server.close();
    await exitCode;
  });

  it('closes with /close, behind what was typed before it', async () => {
    const { server, exitCode, type, screen } = begin();
    type('last words\r/close 4001 enough\r');
    expect([await nextText(server), await server.recvFrame()]).toEqual(['last words', null]);
    expect(await server.closeInfo).toMatchObject({ code: 4001, reason: 'enough' });
    expect(await exitCode).toBe(0);
    expect(screen().at(-1)).toBe('closed with 4001: enough');
  });

  it.each([
    ['Ctrl-C', '\x03'],
    ['Ctrl-D', '\x04'],
  ])('closes politely at %s', async (_name, key) => {
    const { server, exitCode, type } = begin();
    type(key);
    expect(await server.recvFrame()).toBeNull();
    expect(await exitCode).toBe(0);
    expect(await server.closeInfo).toMatchObject({ code: 1000, wasClean: true });
  });

  it('cuts at the second Ctrl-C, where the server lets it wait', async () => {
    const { server, exitCode, type, screen } = begin();
    await server.sendText('unread things keep a close waiting');
    void server.sendText('x');
    const message = server.createMessage('text');
    message.write('never ends');
    type('\x03');
    await expect.poll(() => server.state).not.toBe(0);
    type('\x03');
    expect(await exitCode).toBe(3);
    expect(screen().join('')).toContain('the connection was cut');
  });

  it('exits with 3 where the connection is cut', async () => {
    const { server, exitCode } = begin();
    server.forceClose();
    expect(await exitCode).toBe(3);
  });

  it('closes when it is told to', async () => {
    const { server, conversation, exitCode } = begin();
    const reading = server.recvFrame();
    await conversation.interrupt(1001);
    expect([await reading, await exitCode]).toEqual([null, 0]);
    expect((await server.closeInfo).code).toBe(1001);
  });
});
