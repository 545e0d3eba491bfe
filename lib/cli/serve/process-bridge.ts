/**
 * One process for one connection: what comes is its input, what it prints is sent, at the pace of who is slower.
 *
 * Law: neither outlives the other. The process's end closes the connection behind what it has printed; the connection's
 * end ends the process's input, and where that is not enough, SIGTERM and SIGKILL do.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { WsConnection } from '../../connection/ws-connection.ts';
import { WS_CLOSE_NORMAL, WS_CLOSE_UNEXPECTED } from '../../protocol/close-code.ts';
import { WsFrame } from '../../protocol/frame.ts';
import { WS_OPCODE_TEXT } from '../../protocol/opcode.ts';
import { LineCutter, LineError } from '../lines.ts';
import { Sink } from '../sink.ts';
import type { ServeOptions } from './serve-arguments.ts';

export type BridgeOptions = Pick<ServeOptions, 'command' | 'args' | 'isBinary' | 'graceMs' | 'maxLineBytes'> & {
  readonly env: Readonly<Record<string, string | undefined>>;
};

/** How a process ended, or why there is none. */
interface Ending {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly error?: Error | undefined;
}

const LINE_FEED = Buffer.from('\n');

export class ProcessBridge {
  readonly #conn: WsConnection;
  readonly #options: BridgeOptions;
  readonly #child: ChildProcess & { readonly stdin: Writable; readonly stdout: Readable };
  readonly #ended: Promise<Ending>;
  readonly #input: Sink;
  #timer: NodeJS.Timeout | undefined;

  /**
   * Starts the process. What it writes to stderr goes to ours.
   *
   * @throws the system's error where there is no room for another process
   */
  constructor(conn: WsConnection, options: BridgeOptions) {
    this.#conn = conn;
    this.#options = options;
    const { command, args, env } = options;
    this.#child = spawn(command, [...args], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...env } });
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve({ exitCode: null, signal: null, error }));
      this.#child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
    });
    // Node makes no streams where the process has too many files open.
    if (this.#child.stdin === undefined) throw new Error('too many files are open');
    this.#input = new Sink(this.#child.stdin);
  }

  /**
   * Runs until both are over.
   *
   * @returns what went wrong on this side, for people; `undefined` where nothing did
   */
  async run(): Promise<string | undefined> {
    const printing = this.#sendOutput();
    const reading = this.#feedInput();
    void this.#conn.closeInfo.then(() => this.#wind());
    const mistake = await printing;
    if (mistake !== undefined) await this.#conn.close(WS_CLOSE_UNEXPECTED, 'the process printed what cannot be sent');
    const ending = await this.#ended;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#closeAs(ending);
    await reading;
    return mistake ?? ending.error?.message;
  }

  /** Ends the process: with SIGTERM now, with SIGKILL after the time of grace. */
  terminate(): void {
    this.#child.kill('SIGTERM');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.kill(), this.#options.graceMs);
  }

  /** Ends the process now. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Messages are read up to the end, also where the process has closed its input: a close is among them. */
  async #feedInput(): Promise<void> {
    for await (const message of this.#conn.messages()) {
      try {
        for await (const chunk of message) await this.#input.write(chunk as Uint8Array);
      } catch {
        // It was cut, and so is the connection. A line that is not whole stays so.
        continue;
      }
      if (!this.#options.isBinary) await this.#input.write(LINE_FEED);
    }
    this.#input.end();
  }

  /** @returns what cannot be sent, and why */
  async #sendOutput(): Promise<string | undefined> {
    const { isBinary, maxLineBytes } = this.#options;
    const cutter = new LineCutter(maxLineBytes);
    const frames = isBinary
      ? (chunk: Uint8Array) => [WsFrame.binary(chunk)]
      : (chunk: Uint8Array) => texts(cutter.push(chunk));
    try {
      for await (const chunk of this.#child.stdout) {
        for (const frame of frames(chunk)) if ((await this.#conn.sendFrame(frame)) === 0) return undefined;
      }
      for (const frame of texts(cutter.end())) await this.#conn.sendFrame(frame);
    } catch (error) {
      if (error instanceof LineError) return `the process printed what cannot be sent: ${error.message}`;
      // Its output is destroyed where the connection has ended.
    }
    return undefined;
  }

  /** The connection is over: nobody hears the process any more. */
  #wind(): void {
    this.#input.end();
    this.#child.stdout.destroy();
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.#timer === undefined) {
      this.#timer = setTimeout(() => this.terminate(), this.#options.graceMs);
    }
  }

  async #closeAs({ exitCode, signal, error }: Ending): Promise<void> {
    if (error !== undefined) await this.#conn.close(WS_CLOSE_UNEXPECTED, 'the command could not be started');
    else if (exitCode === 0) await this.#conn.close(WS_CLOSE_NORMAL);
    else await this.#conn.close(WS_CLOSE_UNEXPECTED, signal === null ? `exit code ${exitCode}` : `ended by ${signal}`);
  }
}

function* texts(lines: Iterable<Uint8Array>): Generator<WsFrame, void, undefined> {
  for (const line of lines) yield new WsFrame(WS_OPCODE_TEXT, line);
}
