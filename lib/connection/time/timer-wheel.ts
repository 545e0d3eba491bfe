/**
 * All time limits of all connections, with one timer of the system.
 *
 * What waits lies in a slot with all else that is due at about the same time: a delay is rounded up to a grid of about a
 * thirty-second of it. So there are few slots however much waits, to begin or to end a wait costs the same however much
 * waits, and an idle connection costs its place in a slot and nothing else. Nothing is due too early, and nothing more
 * than a thirty-second too late.
 */
import { MAX_TIMER_MS } from '../../options.ts';

/** Something that waits for a time. The object itself lies in the wheel: what the wheel notes of it is noted there. */
export interface Waiting {
  /** Whether the process stays alive for it. It never changes. */
  readonly holdsProcess: boolean;
  /** The wheel's: where it lies, `undefined` while it does not wait. */
  slot: Slot | undefined;
  /** The wheel's: its place there. */
  place: number;
  /** The time has come. It may wait again. */
  elapsed(): void;
}

/** All that is due at the same time. */
export interface Slot {
  readonly dueAt: number;
  readonly entries: Waiting[];
}

/** What a wheel needs of the world. */
export interface WheelDrive {
  /** ms since some beginning. */
  now(): number;
  /** Sees to it that {@link TimerWheel.turn} is called in so many ms, and not at an earlier time that was asked for before. */
  arm(ms: number): void;
  disarm(): void;
  /** Says whether the process is to stay alive until then. */
  hold(isHeld: boolean): void;
}

/** How many grid lines fall into a delay, at least. */
const GRAIN = 32;

export class TimerWheel {
  readonly #drive: WheelDrive;
  readonly #slots: Map<number, Slot> = new Map();
  #size = 0;
  #holding = 0;
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(drive: WheelDrive) {
    this.#drive = drive;
  }

  /** How much waits. */
  get size(): number {
    return this.#size;
  }

  /** How many slots there are, those included that are empty and whose time has not come. */
  get slotCount(): number {
    return this.#slots.size;
  }

  /** Lets an entry wait; one that waits already waits anew. @param ms more than 0 */
  add(entry: Waiting, ms: number): void {
    this.delete(entry);
    const now = this.#drive.now();
    const grid = 1 << (31 - Math.clz32(Math.max(1, ms / GRAIN)));
    const dueAt = Math.ceil((now + ms) / grid) * grid;
    this.#put(entry, dueAt);
    if (dueAt >= this.#armedFor) return;
    this.#armedFor = dueAt;
    this.#drive.arm(dueAt - now);
  }

  /** Lets an entry wait no longer, whether it waits or not. */
  delete(entry: Waiting): void {
    const { slot } = entry;
    if (slot === undefined) return;
    const last = slot.entries.pop()!;
    if (last !== entry) {
      slot.entries[entry.place] = last;
      last.place = entry.place;
    }
    // The slot stays until its time, though it may be empty: the next connection is due there too.
    this.#forget(entry);
    if (this.#size === 0) this.#stop();
  }

  /** The time for which it was armed has come. */
  turn(): void {
    // A timer may come a little early by the clock: what it was set for is due all the same.
    const now = Math.max(this.#armedFor, this.#drive.now());
    try {
      for (const slot of [...this.#slots.values()]) if (slot.dueAt <= now) this.#empty(slot);
    } finally {
      this.#rearm();
    }
  }

  #put(entry: Waiting, dueAt: number): void {
    let slot = this.#slots.get(dueAt);
    if (slot === undefined) {
      slot = { dueAt, entries: [] };
      this.#slots.set(dueAt, slot);
    }
    entry.slot = slot;
    entry.place = slot.entries.push(entry) - 1;
    this.#size += 1;
    if (entry.holdsProcess && this.#holding++ === 0) this.#drive.hold(true);
  }

  #forget(entry: Waiting): void {
    entry.slot = undefined;
    this.#size -= 1;
    if (entry.holdsProcess && --this.#holding === 0) this.#drive.hold(false);
  }

  /** Tells each of a slot; what is told may take others out of it. Where one throws, the rest is told at the next turn. */
  #empty({ dueAt, entries }: Slot): void {
    if (entries.length === 0) this.#slots.delete(dueAt);
    for (let entry: Waiting | undefined; (entry = entries.pop()) !== undefined; ) {
      if (entries.length === 0) this.#slots.delete(dueAt);
      this.#forget(entry);
      entry.elapsed();
    }
  }

  #rearm(): void {
    if (this.#size === 0) {
      this.#stop();
      return;
    }
    this.#armedFor = Number.POSITIVE_INFINITY;
    for (const { dueAt, entries } of this.#slots.values()) {
      if (entries.length > 0 && dueAt < this.#armedFor) this.#armedFor = dueAt;
    }
    this.#drive.arm(Math.max(0, this.#armedFor - this.#drive.now()));
  }

  #stop(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    // All of them are empty, and no turn will come to take them away.
    this.#slots.clear();
    this.#drive.disarm();
  }
}

/** Drives a wheel with a timer of the system, which keeps the process alive where something in the wheel wants that. */
class SystemDrive implements WheelDrive {
  readonly #turn: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isHeld = false;

  constructor(turn: () => void) {
    this.#turn = turn;
  }

  now(): number {
    return performance.now();
  }

  arm(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#turn, Math.min(Math.ceil(ms), MAX_TIMER_MS));
    if (!this.#isHeld) this.#timer.unref();
  }

  disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (isHeld) this.#timer?.ref();
    else this.#timer?.unref();
  }
}

/** The wheel of this process. */
export const wheel: TimerWheel = new TimerWheel(new SystemDrive(() => wheel.turn()));
