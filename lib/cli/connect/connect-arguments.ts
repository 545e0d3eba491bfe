/** The options of `wspipe connect` and its help, pure. */
import type { OptionTable, Words } from '../command-line.ts';
import { DIAL_HELP, DIAL_OPTIONS, type DialOptions, parseDial } from '../dial-arguments.ts';
import { Misuse } from '../values.ts';

/** What `wspipe connect` runs with. */
export interface ConnectCommand {
  readonly dial: DialOptions;
  /** Bytes instead of lines of text. */
  readonly isBinary: boolean;
  /** The input is one message. */
  readonly isWhole: boolean;
  /** The output is a trace. */
  readonly isJson: boolean;
  /** No progress, and no word of how it ended. */
  readonly isQuiet: boolean;
  readonly isCompressed: boolean;
  /** Ends after so many messages; `Infinity` for no such end. */
  readonly count: number;
  /** ms after which it ends, whatever is under way; `Infinity` for no limit. */
  readonly timeoutMs: number;
  /** ms of silence, after the input has ended, that end the connection; `Infinity` leaves that to the server. */
  readonly waitMs: number;
  /** ms of silence after which a ping is sent, and after which the connection is given up; `undefined` for no pings. */
  readonly pingIntervalMs: number | undefined;
  /** The longest line of the input, in bytes. */
  readonly maxLineBytes: number;
  /** The largest message that is taken where it has to be held as a whole, in bytes. */
  readonly maxMessageBytes: number;
}

/**
 * The defaults of `wspipe connect`.
 *
 * A second of silence: WebSocket knows no half-close, and most servers drop the answers that they have not sent when the
 * close comes. 16 MiB is what a connection takes as one message.
 */
export const CONNECT_DEFAULTS = {
  waitMs: 1000,
  maxLineBytes: 16_777_216,
  maxMessageBytes: 16_777_216,
} as const;

export const CONNECT_OPTIONS: OptionTable = {
  binary: { type: 'boolean', short: 'b' },
  whole: { type: 'boolean' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  count: { type: 'string', short: 'n' },
  timeout: { type: 'string' },
  wait: { type: 'string' },
  'ping-interval': { type: 'string' },
  compress: { type: 'boolean' },
  'no-compress': { type: 'boolean' },
  'max-line-bytes': { type: 'string' },
  'max-message-bytes': { type: 'string' },
  ...DIAL_OPTIONS,
};

/** What `wspipe connect --help` prints. */
export const CONNECT_HELP: string = `wspipe connect: talk to a WebSocket server, or pipe through one

Usage
  wspipe connect [options] <url>

On a terminal it is a conversation: a line is a message, the arrow keys bring
back earlier ones, /help lists what else there is, Ctrl-D or Ctrl-C closes.

In a pipe it is a filter. Each line of the input is sent as a text message, each
message, text or binary, is printed as a line. With --binary, bytes go both ways
as they are. Whatever the size, memory stays the same, and who is slow holds the
other back.

Options
  -b, --binary             bytes instead of lines. Input of any size leaves as
                           binary messages; what comes is not set off by lines.
  --whole                  the whole input is one message
  -n, --count <n>          closes when n messages have come
  --wait <time>            how long the server may be silent once the input has
                           ended, before we close. 0 closes at once, forever
                           leaves it to the server. Default 1, and with --count
                           forever.
  --timeout <time>         ends it all after so long, with exit code 4
  --json                   prints what goes both ways, control frames included,
                           a line of JSON each
  -q, --quiet              no progress, and no word about the end
  --ping-interval <time>   pings when it was quiet for so long, and gives up
                           when it stays quiet for so long again. Default: no
                           pings.
  --compress               compresses where the server agrees
                           (permessage-deflate)
  --no-compress            does not. Default with --binary.
  --max-line-bytes <n>     the longest line that is sent. Default ${CONNECT_DEFAULTS.maxLineBytes} (16
                           MiB).
  --max-message-bytes <n>  the largest message that is taken in a conversation
                           or with --json; the filter takes any. Default
                           ${CONNECT_DEFAULTS.maxMessageBytes} (16 MiB).
${DIAL_HELP}
  -h, --help               print this text
  -v, --version            print the version

A <time> is a number of seconds, or has its unit: 500ms, 10s, 2m, 1h. A <url>
begins with ws:, wss:, http: or https:, or is that of a Unix socket:
ws+unix:///path/to.sock:/request/path

Exit codes
  0  it ended as it should: we closed, the server closed with 1000 or without a
     code, or nobody reads our output any more
  1  no connection could be made, or input or output failed
  2  the command line makes no sense
  3  the connection was cut, or closed for another reason than "normal"
  4  the time was over (--timeout), or --wait was before --count was reached
  130, 143  stopped by Ctrl-C (SIGINT), by SIGTERM; a second one ends at once

Examples
  wspipe connect ws://localhost:8080/
  wspipe connect -H 'Cookie: session=abc' wss://example.com/chat
  echo '{"subscribe":"news"}' | wspipe connect --count 10 wss://example.com/
  wspipe connect --wait forever wss://example.com/ </dev/null >news.txt
  wspipe connect --binary ws://localhost:8080/ <big.bin >copy.bin
  wspipe connect --whole ws://localhost:8080/ <document.json
  wspipe connect --json ws://localhost:8080/ | jq .text
`;

/** @throws Misuse */
export function parseConnect({ operands: [url, second], values }: Words): ConnectCommand {
  // First, for a number that was forgotten has taken the URL for itself.
  const count = values.number('count', { fallback: Number.POSITIVE_INFINITY, min: 1 });
  if (url === undefined) throw new Misuse('Where to? wspipe connect takes a URL, such as ws://localhost:8080/');
  if (second !== undefined) throw new Misuse(`wspipe connect takes one URL, and ${second} is one more.`);
  if (values.has('compress') && values.has('no-compress')) {
    throw new Misuse('--compress and --no-compress exclude each other.');
  }
  const { maxLineBytes, maxMessageBytes } = CONNECT_DEFAULTS;
  const isBinary = values.has('binary');
  return {
    dial: parseDial(url, values),
    isBinary,
    isWhole: values.has('whole'),
    isJson: values.has('json'),
    isQuiet: values.has('quiet'),
    // Bytes are mostly compressed already, or too many to be compressed in passing.
    isCompressed: values.has('compress') || !(isBinary || values.has('no-compress')),
    count,
    timeoutMs: values.time('timeout', Number.POSITIVE_INFINITY),
    // Who counts messages waits for them.
    waitMs: values.time('wait', Number.isFinite(count) ? Number.POSITIVE_INFINITY : CONNECT_DEFAULTS.waitMs, {
      min: 0,
      mayBeEndless: true,
    }),
    pingIntervalMs: values.time('ping-interval', undefined),
    maxLineBytes: values.number('max-line-bytes', { fallback: maxLineBytes, min: 1, max: 1_073_741_824 }),
    maxMessageBytes: values.number('max-message-bytes', { fallback: maxMessageBytes, min: 1 }),
  };
}
