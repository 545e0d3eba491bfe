/**
 * The zlib contexts of the process, within a budget. Nobody owns one: a stage takes a context when a message begins.
 *
 * Between messages a context that has history rests with its stage, so that a chatty connection finds it again. It is
 * taken away when the budget is needed for another, the one that has rested longest first, or when it has rested for
 * long. One timer looks after all of them, and exists only while there is something to look after. Free contexts wait
 * in the same row.
 *
 * The budget is soft in one case: a context in the middle of a message cannot be taken away, and refusing one to the
 * next message would let a few peers with unfinished messages stop all others.
 */
import { byteLimit } from '../protocol/header-rules.ts';
import { contextBytes, ZlibContext, type ZlibSettings } from './zlib-context.ts';

/** How much a {@link DeflatePool} may hold. */
export interface DeflatePoolOptions {
  /** Bytes that all contexts together may take. Default 33,554,432 (32 MiB): about 200 compressors of small messages with our defaults, 170 of larger ones, or 760 inflaters. */
  readonly maxBytes?: number | undefined;
  /** How long a context may rest unused, in milliseconds: after at least half of it, it is given up. Default 1000. */
  readonly restMs?: number | undefined;
}

/** Who has a context rest with it. */
export interface ContextHolder {
  /** The context is somebody else's from now on, or nobody's. */
  contextTaken(): void;
}

const DEFAULT_MAX_BYTES = 33_554_432;
const DEFAULT_REST_MS = 1000;

/** A context that nobody is using now. */
interface Rest {
  readonly holder: ContextHolder | undefined;
  /** The timer's count when it began. */
  readonly since: number;
}

/** Contexts that are shared: give the same pool to many stages. Most need none of their own: there is one for the process. */
export class DeflatePool {
  readonly #maxBytes: number;
  readonly #periodMs: number;
  /** In the order in which they began to rest. */
  readonly #resting = new Map<ZlibContext, Rest>();
  readonly #free = new Map<number, ZlibContext[]>();
  #bytes = 0;
  #users = 0;
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;

  /** @throws RangeError for a budget or a time that makes no sense */
  constructor(options: DeflatePoolOptions = {}) {
    this.#maxBytes = byteLimit('maxBytes', options.maxBytes ?? DEFAULT_MAX_BYTES, 0);
    const restMs = options.restMs ?? DEFAULT_REST_MS;
    if (!(restMs >= 0 && restMs <= 0x7fff_ffff)) {
      throw new RangeError(`restMs must be a number of milliseconds, not ${String(restMs)}`);
    }
    this.#periodMs = Math.max(1, restMs / 2);
  }

  /** Bytes that contexts take now, in use or at rest. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @internal A stage begins to use the pool. */
  join(): void {
    this.#users++;
  }

  /** @internal A stage is over. The last one leaves nothing behind. */
  leave(): void {
    if (--this.#users > 0) return;
    for (const context of [...this.#resting.keys()]) this.#giveUp(context);
    this.#stopTimer();
  }

  /** @internal Gives a context that is as new, for one message or for longer. */
  lease(settings: ZlibSettings): ZlibContext {
    const free = this.#free.get(keyOf(settings))?.at(-1);
    if (free !== undefined) {
      this.resume(free);
      return free;
    }
    return this.#makeRoom(settings) ?? this.#create(settings);
  }

  /** @internal Leaves a context with its holder, as long as nobody else needs it; without one it is free. */
  rest(context: ZlibContext, holder: ContextHolder | undefined): void {
    this.#resting.set(context, { holder, since: this.#looks });
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(look, this.#periodMs, this);
    // Connections keep the process alive, not what they have left here.
    this.#timer.unref();
  }

  /** @internal Goes on with a context that rested. */
  resume(context: ZlibContext): void {
    if (this.#resting.get(context)!.holder === undefined) this.#unlistFree(context);
    this.#resting.delete(context);
  }

  /** @internal Gives a context back, for anybody. */
  release(context: ZlibContext): void {
    this.#resting.delete(context);
    if (this.#bytes > this.#maxBytes) {
      this.discard(context);
      return;
    }
    context.reset();
    const key = keyOf(context.settings);
    const free = this.#free.get(key);
    if (free === undefined) this.#free.set(key, [context]);
    else free.push(context);
    this.rest(context, undefined);
  }

  /** @internal Closes a context that is in use, or broken. */
  discard(context: ZlibContext): void {
    this.#bytes -= contextBytes(context.settings);
    context.close();
  }

  #create(settings: ZlibSettings): ZlibContext {
    const context = new ZlibContext(settings);
    this.#bytes += contextBytes(settings);
    return context;
  }

  /** Closes what has rested longest until there is room; one that fits is taken over instead. */
  #makeRoom(settings: ZlibSettings): ZlibContext | undefined {
    const bytes = contextBytes(settings);
    for (const context of this.#resting.keys()) {
      if (this.#bytes + bytes <= this.#maxBytes) return undefined;
      // None of these is free: that was looked for before.
      if (keyOf(context.settings) === keyOf(settings)) {
        this.#takeAway(context);
        context.reset();
        return context;
      }
      this.#giveUp(context);
    }
    return undefined;
  }

  /** @internal Gives up what has rested for a whole period. */
  look(): void {
    this.#looks++;
    for (const [context, { since }] of this.#resting) {
      if (this.#looks - since < 2) break;
      this.#giveUp(context);
    }
    if (this.#resting.size === 0) this.#stopTimer();
  }

  #giveUp(context: ZlibContext): void {
    this.#takeAway(context);
    this.discard(context);
  }

  #takeAway(context: ZlibContext): void {
    const { holder } = this.#resting.get(context)!;
    this.resume(context);
    holder?.contextTaken();
  }

  #unlistFree(context: ZlibContext): void {
    const free = this.#free.get(keyOf(context.settings))!;
    free.splice(free.lastIndexOf(context), 1);
  }

  #stopTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function look(pool: DeflatePool): void {
  pool.look();
}

/** Contexts with the same key serve for each other. */
function keyOf({ kind, windowBits, level, memLevel }: ZlibSettings): number {
  return (((level + 1) * 10 + memLevel) * 16 + windowBits) * 2 + (kind === 'deflate' ? 1 : 0);
}

let processPool: DeflatePool | undefined;

/** The pool of the process: 32 MiB. */
export function sharedPool(): DeflatePool {
  processPool ??= new DeflatePool();
  return processPool;
}
