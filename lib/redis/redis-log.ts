/**
 * History in Redis Streams. Each name is a stream; each entry holds its message and the id of the entry before, so that
 * whoever has an id knows whether anything behind it is gone.
 *
 * A batch is appended, and told to those who subscribe, by one script, which Redis runs as a whole or not at all. The
 * script remembers how far each publisher has come: a batch that is given again is not appended again.
 */
import type { BrokerLog, LogEntry, LogPage } from '../fanout/backplane/broker.ts';
import type { ResolvedHistoryOptions } from '../fanout/backplane/memory-log.ts';

/** How long a publisher may be away and still have its last batch known for what it is: a day, in ms. */
const PUBLISHER_TTL_MS = 86_400_000;

/** The place before all entries, and of an empty stream. */
const ORIGIN = '0-0';
const MAX_ID_PART = 2n ** 64n - 1n;

/** Redis answers bulk strings (`$` on the wire) as Buffers. */
const AS_BUFFERS = { typeMapping: { 36: Buffer } };

const NEWEST = `
local function newest(key)
  local info = redis.pcall('XINFO', 'STREAM', key)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
  return '${ORIGIN}'
end
`;

/** KEYS: stream, how far its publisher has come. ARGV: channel, messages kept, ms kept or 0, ms of the second key, messages. */
const APPEND = `${NEWEST}
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local previous = newest(KEYS[1])
for i = 5, #ARGV do
  local sequence = 0
  for at = 11, 16 do sequence = sequence * 256 + string.byte(ARGV[i], at) end
  if sequence > last then
    local id = redis.call('XADD', KEYS[1], 'MAXLEN', '=', ARGV[2], '*', 'p', previous, 'm', ARGV[i])
    redis.call('PUBLISH', ARGV[1], id .. ' ' .. previous .. ' ' .. ARGV[i])
    previous = id
    last = sequence
  end
end
redis.call('SET', KEYS[2], string.format('%.0f', last), 'PX', ARGV[4])
if ARGV[3] ~= '0' then
  local now = redis.call('TIME')
  local since = now[1] * 1000 + math.floor(now[2] / 1000) - ARGV[3]
  redis.call('XTRIM', KEYS[1], 'MINID', '=', string.format('%.0f', since))
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1
`;

/** Sends a command to Redis. */
export type RedisCommand = (args: readonly (string | Uint8Array)[], options?: object) => Promise<unknown>;

export class RedisLog implements BrokerLog {
  readonly #send: RedisCommand;
  readonly #prefix: string;
  readonly #options: ResolvedHistoryOptions;

  constructor(send: RedisCommand, prefix: string, options: ResolvedHistoryOptions) {
    this.#send = send;
    this.#prefix = prefix;
    this.#options = options;
  }

  /** The channel on which appended entries are told, and the key of the stream as well. */
  keyOf(name: string): string {
    return `${this.#prefix}log:${name}`;
  }

  /** Appends what is new in a batch. Rejects where Redis did not answer, or answered with an error. */
  async append(name: string, batch: readonly Uint8Array[]): Promise<void> {
    const key = this.keyOf(name);
    const publisher = Buffer.from(batch[0]!).toString('hex', 2, 10);
    const { maxMessages, maxAgeMs } = this.#options;
    const age = Number.isFinite(maxAgeMs) ? Math.ceil(maxAgeMs) : 0;
    const keys = ['2', key, `${this.#prefix}sequence:${publisher}:${name}`];
    const bounds = [key, String(maxMessages), String(age), String(PUBLISHER_TTL_MS)];
    await this.#send(['EVAL', APPEND, ...keys, ...bounds, ...batch]);
  }

  async newest(name: string): Promise<string> {
    return String(await this.#send(['EVAL', `${NEWEST}return newest(KEYS[1])`, '1', this.keyOf(name)]));
  }

  async read(name: string, after: string | undefined, limit: number): Promise<LogPage> {
    if (after === undefined) return { entries: await this.#range(name, '-', limit), isGap: false };
    if (!isId(after)) return { entries: await this.#range(name, '-', limit), isGap: true };
    const entries = await this.#range(name, `(${after}`, limit);
    const first = entries[0];
    if (first !== undefined) return { entries, isGap: first.previous !== after };
    if ((await this.newest(name)) === after) return { entries, isGap: false };
    // It was never here, or all that stood behind it is gone.
    return { entries: await this.#range(name, '-', limit), isGap: true };
  }

  async placeBefore(name: string, messages: number): Promise<string | undefined> {
    const command = ['XREVRANGE', this.keyOf(name), '+', '-', 'COUNT', String(messages + 1)];
    const newest = (await this.#send(command, AS_BUFFERS)) as unknown[];
    return newest.length > messages ? parseEntry(newest[messages]).id : undefined;
  }

  compare(one: string, other: string): number {
    const [a, b] = [parseId(one), parseId(other)];
    for (const part of [0, 1] as const) {
      if (a[part] !== b[part]) return a[part] < b[part] ? -1 : 1;
    }
    return 0;
  }

  async #range(name: string, start: string, limit: number): Promise<LogEntry[]> {
    const command = ['XRANGE', this.keyOf(name), start, '+', 'COUNT', String(limit)];
    return ((await this.#send(command, AS_BUFFERS)) as unknown[]).map(parseEntry);
  }
}

/**
 * Parses what the script tells: two ids and the message, with a blank between.
 *
 * @returns undefined where it is nothing that the script tells
 */
export function parseTold(message: Buffer): LogEntry | undefined {
  const first = message.indexOf(0x20);
  const second = message.indexOf(0x20, first + 1);
  if (first < 0 || second < 0) return undefined;
  const [id, previous] = [message.toString('latin1', 0, first), message.toString('latin1', first + 1, second)];
  return isId(id) && isId(previous) ? { id, previous, bytes: message.subarray(second + 1) } : undefined;
}

/** Somebody else's entry has no message: it stays, empty, in its place, and is told to be malformed further on. */
function parseEntry(reply: unknown): LogEntry {
  const [id, fields] = reply as [Buffer, Buffer[]];
  const values = new Map<string, Buffer>();
  for (let at = 0; at + 1 < fields.length; at += 2) values.set(fields[at]!.toString('latin1'), fields[at + 1]!);
  return {
    id: id.toString('latin1'),
    previous: values.get('p')?.toString('latin1') ?? '',
    bytes: values.get('m') ?? Buffer.alloc(0),
  };
}

function isId(id: string): boolean {
  return /^\d{1,20}-\d{1,20}$/.test(id) && parseId(id).every((part) => part <= MAX_ID_PART);
}

function parseId(id: string): [bigint, bigint] {
  const [milliseconds = '0', sequence = '0'] = id.split('-');
  return [BigInt(milliseconds), BigInt(sequence)];
}
