/** `wspipe connect`: makes the connection, and talks over it in the way that the terminal asks for. */
import type { WsConnection } from '../../connection/ws-connection.ts';
import { WS_CLOSE_GOING_AWAY } from '../../protocol/close-code.ts';
import { createDialer } from '../dial.ts';
import { explainDialFailure } from '../dial-failure.ts';
import { EXIT_FAILED, EXIT_OF_SIGNAL, EXIT_TIMEOUT } from '../exit-code.ts';
import { waitForStop } from '../stop.ts';
import { complain, type Terminal } from '../terminal.ts';
import type { ConnectCommand } from './connect-arguments.ts';
import { Conversation } from './conversation.ts';
import { Filter } from './filter.ts';

/** ms that a server has to answer our close. People wait for it. */
const CLOSE_TIMEOUT_MS = 5000;

/** What goes on over a connection. */
interface Session {
  /** Runs to the end of the connection. @returns the exit code */
  run(): Promise<number>;
  /** Closes before the time. */
  interrupt(code: number): Promise<void>;
}

/**
 * Runs to the end of the connection, to `--timeout`, or to a signal; the second signal ends the process at once.
 *
 * @returns the exit code
 */
export async function runConnectCommand(command: ConnectCommand, terminal: Terminal): Promise<number> {
  if (!command.dial.isChecked) {
    complain(terminal, 'warning: --insecure. Whoever is in between can read and change everything.');
  }
  const stop = waitForStop(terminal);
  const given = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const isOver = new Promise<number>((resolve) => {
    void stop.isAsked.then((signal) => resolve(EXIT_OF_SIGNAL[signal]));
    if (Number.isFinite(command.timeoutMs)) timer = setTimeout(() => resolve(EXIT_TIMEOUT), command.timeoutMs);
  });
  let interrupted: number | undefined;
  void isOver.then((exitCode) => {
    interrupted = exitCode;
    stop.release();
    given.abort();
  });
  try {
    const conn = await open(command, terminal, given.signal);
    if (conn === undefined) return sayTimeout(interrupted ?? EXIT_FAILED, command, terminal);
    const session: Session = isConversation(command, terminal)
      ? new Conversation(conn, command, terminal)
      : new Filter(conn, command, terminal);
    void isOver.then(() => session.interrupt(WS_CLOSE_GOING_AWAY));
    const exitCode = await session.run();
    return sayTimeout(interrupted ?? exitCode, command, terminal);
  } finally {
    clearTimeout(timer);
    stop.release();
  }
}

/** @returns `undefined` where there is none, which has been told, unless `signal` gave it up */
async function open(
  command: ConnectCommand,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<WsConnection | undefined> {
  const { dial, isCompressed, isJson, pingIntervalMs, maxMessageBytes } = command;
  try {
    const dialer = await createDialer(dial);
    return await dialer.dial({
      signal,
      maxMessageBytes,
      closeTimeoutMs: CLOSE_TIMEOUT_MS,
      perMessageDeflate: isCompressed,
      heartbeat: pingIntervalMs !== undefined && { intervalMs: pingIntervalMs, timeoutMs: pingIntervalMs },
      controlFrames: isJson,
      autoPong: !isJson,
    });
  } catch (error) {
    if (!signal.aborted) complain(terminal, explainDialFailure(error, dial.url));
    return undefined;
  }
}

function isConversation({ isBinary, isWhole, isJson }: ConnectCommand, { stdin, stdout }: Terminal): boolean {
  return stdin.isTTY === true && stdout.isTTY === true && !isBinary && !isWhole && !isJson;
}

function sayTimeout(exitCode: number, { timeoutMs }: ConnectCommand, terminal: Terminal): number {
  if (exitCode === EXIT_TIMEOUT && Number.isFinite(timeoutMs)) complain(terminal, 'the time is over (--timeout)');
  return exitCode;
}
