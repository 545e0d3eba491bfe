/**
 * `wspipe connect` in a pipe: the input is sent, what comes is printed, both at once and each at the pace of who is
 * slower.
 *
 * ```
 *  stdin ─▶ lines, or bytes ─▶ connection ─▶ messages ─▶ stdout
 * ```
 *
 * Law: it ends once, and says why. The connection's end ends the input; the input's end ends the connection, when the
 * server has been silent for a while; an output that nobody reads ends both.
 */
import type { CloseInfo } from '../../connection/closer.ts';
import type { WsConnection } from '../../connection/ws-connection.ts';
import { WS_CLOSE_NORMAL, WS_CLOSE_UNEXPECTED } from '../../protocol/close-code.ts';
import { WsFrame } from '../../protocol/frame.ts';
import { describeClose } from '../close-text.ts';
import { EXIT_CLOSED, EXIT_DONE, EXIT_FAILED, EXIT_TIMEOUT, exitCodeOf } from '../exit-code.ts';
import { LineError } from '../lines.ts';
import { printableLine } from '../printable.ts';
import { Sink } from '../sink.ts';
import { complain, type Terminal } from '../terminal.ts';
import type { ConnectCommand } from './connect-arguments.ts';
import { type PrintEvents, printMessages } from './print-messages.ts';
import { Progress } from './progress.ts';
import { sendInput } from './send-input.ts';
import { Silence } from './silence.ts';
import { Trace, traceMessages } from './trace.ts';

/** How far a filter has come. */
type Verdict = { readonly exitCode: number; readonly message?: string | undefined };

export class Filter {
  readonly #conn: WsConnection;
  readonly #command: ConnectCommand;
  readonly #terminal: Terminal;
  readonly #output: Sink;
  readonly #trace: Trace | undefined;
  readonly #progress: Progress;
  readonly #silence: Silence;
  #isPrinting = false;
  /** Whether messages are no longer read: all that were asked for have come, or nobody wants them. */
  #hasRead = false;
  /** What was decided before the connection's end; it goes before what the end says. */
  #verdict: Verdict | undefined;

  constructor(conn: WsConnection, command: ConnectCommand, terminal: Terminal) {
    this.#conn = conn;
    this.#command = command;
    this.#terminal = terminal;
    this.#output = new Sink(terminal.stdout);
    this.#trace = command.isJson ? new Trace(this.#output) : undefined;
    this.#progress = new Progress(terminal.stderr);
    this.#silence = new Silence(command.waitMs, () => this.#isPrinting || conn.bufferedAmount > 0);
  }

  /** Runs to the end of the connection. @returns the exit code */
  async run(): Promise<number> {
    const { stdin, stdout, stderr } = this.#terminal;
    const isShown = stderr.isTTY === true && stdout.isTTY !== true && !this.#command.isQuiet;
    if (isShown) this.#progress.start();
    await this.#trace?.opened(this.#conn, this.#command.dial.url);
    const reading = this.#receive();
    const writing = this.#send();
    const info = await this.#conn.closeInfo;
    this.#silence.stop();
    stdin.destroy();
    await Promise.all([reading, writing]);
    await this.#trace?.closed(info);
    this.#progress.stop();
    return this.#conclude(info);
  }

  /** Ends it before its time: what is left undone is no failure of its own. */
  async interrupt(code: number): Promise<void> {
    this.#decide({ exitCode: EXIT_DONE });
    await this.#close(code);
  }

  async #close(code: number): Promise<void> {
    if (!this.#conn.isOpen()) return;
    await this.#trace?.frame('out', WsFrame.close(code));
    await this.#conn.close(code);
  }

  async #send(): Promise<void> {
    const { stdin } = this.#terminal;
    try {
      const isSent = await sendInput(stdin, this.#conn, this.#command, (frame) => {
        this.#progress.sent(frame.payloadLength);
        return this.#trace?.frame('out', frame);
      });
      if (isSent) await this.#waitForAnswers();
      else if (!this.#hasRead) this.#decide({ exitCode: EXIT_CLOSED, message: 'not all of the input was sent' });
    } catch (error) {
      await this.#inputFailed(error as Error);
    }
  }

  async #waitForAnswers(): Promise<void> {
    if (this.#command.waitMs > 0) await this.#silence.wait();
    if (!this.#conn.isOpen()) return;
    const { count } = this.#command;
    if (Number.isFinite(count) && !this.#hasRead) {
      this.#decide({ exitCode: EXIT_TIMEOUT, message: `fewer than ${count} messages came` });
    }
    await this.#close(WS_CLOSE_NORMAL);
  }

  /** The input is destroyed where the connection has ended; that is no failure of its own. */
  async #inputFailed(error: Error): Promise<void> {
    if (!(error instanceof LineError) && this.#terminal.stdin.destroyed && !this.#conn.isOpen()) return;
    const message = `the input cannot be sent: ${error.message}${hintFor(error)}`;
    this.#decide({ exitCode: EXIT_FAILED, message });
    await this.#close(WS_CLOSE_UNEXPECTED);
  }

  async #receive(): Promise<void> {
    const { isBinary, count } = this.#command;
    const events = this.#watch(count);
    if (this.#trace !== undefined) await traceMessages(this.#conn, this.#trace, events);
    else {
      const isTerminal = this.#terminal.stdout.isTTY === true;
      await printMessages(this.#conn, this.#output, { isBinary, isTerminal }, events);
    }
    this.#isPrinting = false;
    if (this.#output.isBroken) this.#outputFailed();
    else if (Number.isFinite(count) && !this.#hasRead) {
      this.#decide({ exitCode: EXIT_CLOSED, message: `fewer than ${count} messages came` });
    }
    await this.#close(WS_CLOSE_NORMAL);
  }

  #watch(count: number): PrintEvents {
    let seen = 0;
    return {
      arrived: (bytes) => {
        this.#isPrinting = true;
        this.#progress.received(bytes);
      },
      printed: () => {
        this.#isPrinting = false;
        this.#silence.touch();
      },
      finished: () => {
        seen++;
        if (seen === count) {
          this.#hasRead = true;
          void this.#close(WS_CLOSE_NORMAL);
        }
        return seen < count;
      },
    };
  }

  /** Who reads may go when he has enough, as `head` does: that is no failure. */
  #outputFailed(): void {
    this.#hasRead = true;
    const { error } = this.#output;
    const code = (error as NodeJS.ErrnoException | undefined)?.code;
    if (error === undefined || code === 'EPIPE') this.#decide({ exitCode: EXIT_DONE });
    else this.#decide({ exitCode: EXIT_FAILED, message: `the output cannot be written: ${error.message}` });
  }

  #decide(verdict: Verdict): void {
    this.#verdict ??= verdict;
  }

  #conclude(info: CloseInfo): number {
    const exitCode = this.#verdict?.exitCode ?? exitCodeOf(info);
    if (this.#verdict?.message !== undefined) complain(this.#terminal, printableLine(this.#verdict.message));
    const isRemarkable = exitCodeOf(info) !== EXIT_DONE;
    if (isRemarkable && !this.#command.isQuiet) complain(this.#terminal, describeClose(info, 'the server'));
    return exitCode;
  }
}

function hintFor(error: Error): string {
  if (!(error instanceof LineError)) return '';
  return error.isTooLong ? '; --max-line-bytes allows more' : '; --binary sends bytes as they are';
}
