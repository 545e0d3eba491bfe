/**
 * `wspipe connect` on a terminal: what is typed is sent, what comes is printed above the line that is being typed, and
 * does not tear it.
 */
import { createInterface, type Interface } from 'node:readline';
import type { WsConnection } from '../../connection/ws-connection.ts';
import { WS_CLOSE_NORMAL } from '../../protocol/close-code.ts';
import type { WsFrame } from '../../protocol/frame.ts';
import { describeClose } from '../close-text.ts';
import { exitCodeOf } from '../exit-code.ts';
import { printable } from '../printable.ts';
import { createPaint, type Paint, type Terminal } from '../terminal.ts';
import type { ConnectCommand } from './connect-arguments.ts';
import { formatHexDump } from './hex-dump.ts';
import { CONVERSATION_HELP, parseTyped } from './typed-line.ts';

/** Characters of a message that are shown: some screens full. */
const MAX_SHOWN_CHARACTERS = 20_000;
const MAX_DUMPED_LINES = 8;
const HISTORY_LINES = 500;

export class Conversation {
  readonly #conn: WsConnection;
  readonly #command: ConnectCommand;
  readonly #terminal: Terminal;
  readonly #paint: Paint;
  readonly #line: Interface;
  #isTyping = true;
  /** What was typed last is sent, or done. */
  #done: Promise<void> = Promise.resolve();

  constructor(conn: WsConnection, command: ConnectCommand, terminal: Terminal) {
    const { stdin, stdout } = terminal;
    this.#conn = conn;
    this.#command = command;
    this.#terminal = terminal;
    this.#paint = createPaint(stdout);
    this.#line = createInterface({
      input: stdin,
      output: stdout,
      prompt: '> ',
      terminal: true,
      historySize: HISTORY_LINES,
      removeHistoryDuplicates: true,
    });
  }

  /** Runs to the end of the connection. @returns the exit code */
  async run(): Promise<number> {
    this.#line.on('line', (line) => this.#typed(line));
    this.#line.on('SIGINT', () => this.#leave());
    this.#line.on('close', () => this.#leave());
    this.#greet();
    for await (const frame of this.#conn) this.#print(this.#formatMessage(frame));
    const info = await this.#conn.closeInfo;
    this.#isTyping = false;
    this.#line.close();
    this.#write(`\r\x1b[J${this.#paint.dim(describeClose(info, 'the server'))}\n`);
    return exitCodeOf(info);
  }

  /** Closes before the time. */
  async interrupt(code: number): Promise<void> {
    await this.#conn.close(code);
  }

  #greet(): void {
    const { protocol, extensions } = this.#conn;
    const agreed = [protocol, extensions].filter((text) => text !== '').join(', ');
    const terms = agreed === '' ? '' : ` (${printable(agreed)})`;
    this.#write(this.#paint.dim(`connected to ${this.#command.dial.url}${terms}; /help says what can be done\n`));
    this.#line.prompt();
  }

  #typed(line: string): void {
    // One after the other: a close goes behind what was typed before it.
    this.#done = this.#done.then(() => this.#act(line));
    this.#line.prompt();
  }

  async #act(line: string): Promise<void> {
    const typed = parseTyped(line);
    switch (typed.kind) {
      case 'nothing':
        return;
      case 'message':
        await this.#conn.sendText(typed.text);
        return;
      case 'ping':
        // Its answer need not come before the next message is sent.
        void this.#ping(typed.data);
        return;
      case 'close':
        void this.#conn.close(typed.code, typed.reason);
        return;
      case 'help':
        this.#print(CONVERSATION_HELP.map((text) => this.#paint.dim(text)));
        return;
      case 'mistake':
        this.#print([this.#paint.dim(printable(typed.message))]);
    }
  }

  async #ping(data: string | undefined): Promise<void> {
    const ms = await this.#conn.ping(data);
    if (ms !== null) this.#print([this.#paint.dim(`pong after ${ms.toFixed(1)} ms`)]);
  }

  /** Once politely, once more at once. */
  #leave(): void {
    if (this.#conn.isOpen()) void this.#conn.close(WS_CLOSE_NORMAL);
    else if (this.#isTyping) this.#conn.forceClose();
  }

  #formatMessage(frame: WsFrame): string[] {
    const paint = this.#paint;
    if (!frame.isText()) {
      const size = `${frame.payloadLength} byte${frame.payloadLength === 1 ? '' : 's'}`;
      return [
        `${paint.link('<')} ${paint.dim(`binary, ${size}`)}`,
        ...formatHexDump(frame.payload, MAX_DUMPED_LINES).map((row) => `  ${row}`),
      ];
    }
    const text = frame.payloadText();
    const left = text.length - MAX_SHOWN_CHARACTERS;
    const lines = printable(text.slice(0, MAX_SHOWN_CHARACTERS)).split('\n');
    if (left > 0) lines.push(paint.dim(`… and ${left} more characters`));
    return lines.map((line, index) => `${index === 0 ? paint.link('<') : ' '} ${line}`);
  }

  /**
   * Prints above the line that is being typed, which may have grown over several rows: goes up to its first row, writes
   * over it, and leaves the space that readline will go up when it draws the line anew.
   */
  #print(lines: readonly string[]): void {
    if (!this.#isTyping) return;
    const { rows } = this.#line.getCursorPos();
    // What was pasted grows without being drawn anew, so readline may think of fewer rows than there are.
    const { prevRows: known = rows } = this.#line as { readonly prevRows?: number };
    const up = rows > 0 ? `\x1b[${rows}A` : '';
    this.#write(`${up}\r\x1b[J${lines.join('\n')}\n${'\n'.repeat(known)}`);
    this.#line.prompt(true);
  }

  #write(text: string): void {
    this.#terminal.stdout.write(text);
  }
}
