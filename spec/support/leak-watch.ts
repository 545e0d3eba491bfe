/**
 * What a test may leave behind, and how it is seen.
 *
 * Handles (sockets, servers, pipes, processes) are counted by Node itself. Timers are not: Node's count leaves out
 * those that were unref'd, and the test runner has some of its own. So the global timer functions are watched instead,
 * from the moment the runner has taken its copies. `lib/` uses no other timers; `spec/laws` holds it to that.
 */

const nativeSetTimeout = globalThis.setTimeout;
const nativeSetImmediate = globalThis.setImmediate;
const now = performance.now.bind(performance);

/** Handles which only ever serve the moment, or the runner. */
const UNWATCHED: ReadonlySet<string> = new Set(['Timeout', 'Immediate', 'FSReqCallback', 'FSReqPromise', 'WriteWrap']);

interface WatchedTimer {
  readonly timer: NodeJS.Timeout;
  readonly birth: Error;
}

const timers = new Set<WatchedTimer>();
const known = new WeakMap<object, WatchedTimer>();
let pruneAt = 1024;

/** Node marks a timer that fired or was cleared; a timer that was refreshed is alive again. */
const isAlive = ({ timer }: WatchedTimer): boolean => (timer as { _destroyed?: boolean })._destroyed === false;

function prune(): void {
  for (const watched of timers) if (!isAlive(watched)) timers.delete(watched);
  pruneAt = Math.max(1024, timers.size * 2);
}

function watch(entry: WatchedTimer): void {
  timers.add(entry);
  if (timers.size >= pruneAt) prune();
}

function watched<T extends (...args: never[]) => NodeJS.Timeout>(create: T): T {
  const watching = (...args: Parameters<T>): NodeJS.Timeout => {
    const timer = create(...args);
    const entry = { timer, birth: new Error('made') };
    known.set(timer, entry);
    watch(entry);
    return timer;
  };
  return Object.defineProperties(watching, Object.getOwnPropertyDescriptors(create)) as unknown as T;
}

/** A timer that fired is forgotten; `refresh()` brings it back. */
function watchRefresh(): void {
  const sample = nativeSetTimeout(() => {}, 0);
  clearTimeout(sample);
  const prototype = Object.getPrototypeOf(sample) as NodeJS.Timeout;
  const { refresh } = prototype;
  prototype.refresh = function (this: NodeJS.Timeout): NodeJS.Timeout {
    const entry = known.get(this);
    if (entry !== undefined) watch(entry);
    return refresh.call(this);
  };
}

let isWatching = false;

/** Puts watched timer functions in the place of the global ones: once, for the files of a worker share its globals. */
export function watchTimers(): void {
  if (isWatching) return;
  isWatching = true;
  globalThis.setTimeout = watched(globalThis.setTimeout);
  globalThis.setInterval = watched(globalThis.setInterval);
  watchRefresh();
}

/** What is open at one moment. */
export interface Baseline {
  readonly handles: ReadonlyMap<string, number>;
  readonly timers: ReadonlySet<WatchedTimer>;
}

function countHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) {
    if (!UNWATCHED.has(type)) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
}

/** Notes what is open now. */
export function takeBaseline(): Baseline {
  prune();
  return { handles: countHandles(), timers: new Set(timers) };
}

/** Tells, a line each, what is open now and was not at the baseline. */
export function leaksSince(baseline: Baseline): string[] {
  prune();
  const leaks: string[] = [];
  for (const [type, count] of countHandles()) {
    const more = count - (baseline.handles.get(type) ?? 0);
    if (more > 0) leaks.push(`${more} × ${type}`);
  }
  for (const watched of timers) if (!baseline.timers.has(watched)) leaks.push(describeTimer(watched));
  return leaks;
}

function describeTimer({ timer, birth }: WatchedTimer): string {
  const { _idleTimeout: ms, _repeat: repeat } = timer as { _idleTimeout?: number; _repeat?: number | null };
  const frames = (birth.stack ?? '').split('\n').slice(1);
  const made = frames.filter((line) => !line.includes('leak-watch') && !line.includes('node:')).slice(0, 3);
  return `a ${repeat == null ? 'timer' : 'repeating timer'} of ${ms} ms, made\n${made.join('\n')}`;
}

/**
 * Waits until nothing is open that was not at the baseline: a few turns of the loop where all is well, because a
 * closing handle needs them.
 *
 * @param graceMs how long to wait before what is open counts as a leak
 * @returns what is still open after the grace; empty where all is well
 */
export async function settle(baseline: Baseline, graceMs = 1500): Promise<string[]> {
  const deadline = now() + graceMs;
  for (let turn = 0; ; turn++) {
    await new Promise<void>((resolve) => {
      if (turn < 20) nativeSetImmediate(resolve);
      else nativeSetTimeout(resolve, 5);
    });
    if (turn === 0) continue;
    const leaks = leaksSince(baseline);
    if (leaks.length === 0 || now() > deadline) return leaks;
  }
}

/** Names the ends of the sockets that are open, to help find the one that leaks. */
export function describeSockets(): string[] {
  const handles = (process as unknown as { _getActiveHandles?: () => object[] })._getActiveHandles?.() ?? [];
  return handles.flatMap((handle) => {
    const { localPort, remotePort, destroyed } = handle as Record<string, unknown>;
    if (localPort === undefined) return [];
    return [`socket ${localPort} → ${remotePort}${destroyed === true ? ', destroyed' : ''}`];
  });
}
