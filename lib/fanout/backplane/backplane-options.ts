/**
 * The knobs of a backplane: unit, default and reason of each, checked once, at the door.
 */
import { byteLimit, count } from '../../options.ts';
import type { Broker } from './broker.ts';
import type { MemoryHistoryOptions } from './memory-log.ts';

const MIB = 1_048_576;

/** The policy of a backplane, whatever its broker. */
export interface BackplaneSettings {
  /**
   * What becomes of what is published while the broker is away, beyond this process: `'queue'`, the default, keeps it
   * until the broker is back, as far as `maxQueuedBytes` reaches; `'reject'` refuses it at once.
   */
  readonly whileAway?: 'queue' | 'reject' | undefined;
  /**
   * Bytes that may wait for the broker, 256 a message counted for overhead. Default 16 MiB: a minute of a thousand small
   * messages a second. `Infinity` is allowed.
   */
  readonly maxQueuedBytes?: number | undefined;
  /**
   * The largest message in bytes, inclusive, that is given to the broker, or taken from it. Default 16 MiB, as that of a
   * connection; a broker may have a smaller limit of its own. `Infinity` is allowed.
   */
  readonly maxMessageBytes?: number | undefined;
  /**
   * Publishers that are remembered for each name, at least 1; beyond it, who was silent for the longest is forgotten.
   * Default 1024: each is a process that has published under that name.
   */
  readonly maxPublishers?: number | undefined;
}

/** The options of a backplane. */
export interface BackplaneOptions extends BackplaneSettings {
  /** What spans processes. Default: none, and the backplane joins those of this process who share it. */
  readonly broker?: Broker | undefined;
  /** What is kept for who comes later, in the memory of this process. A broker has its own. Default: nothing. */
  readonly history?: MemoryHistoryOptions | undefined;
}

/** {@link BackplaneSettings} with every default in its place. */
export type ResolvedBackplaneSettings = {
  readonly [K in keyof BackplaneSettings]-?: NonNullable<BackplaneSettings[K]>;
};

/** Checks a name. @throws TypeError */
export function assertName(name: string): void {
  if (typeof name !== 'string' || name === '') throw new TypeError('The name must be a string that is not empty');
  // Half a surrogate pair has no bytes of its own: two names would be one to a broker.
  if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(name)) {
    throw new TypeError('The name must be well-formed Unicode');
  }
}

/** Puts the defaults in and checks the rest. @throws TypeError, RangeError */
export function resolveSettings(options: BackplaneSettings): ResolvedBackplaneSettings {
  if (typeof options !== 'object' || options === null) throw new TypeError('The options must be an object');
  const { whileAway = 'queue' } = options;
  if (whileAway !== 'queue' && whileAway !== 'reject') throw new TypeError("whileAway must be 'queue' or 'reject'");
  const maxPublishers = count('maxPublishers', options.maxPublishers, 1024, Number.POSITIVE_INFINITY);
  if (maxPublishers < 1) throw new RangeError('maxPublishers must be at least 1');
  return {
    ...{ whileAway, maxPublishers },
    maxQueuedBytes: byteLimit('maxQueuedBytes', options.maxQueuedBytes, 16 * MIB),
    maxMessageBytes: byteLimit('maxMessageBytes', options.maxMessageBytes, 16 * MIB),
  };
}
