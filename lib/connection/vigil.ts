/**
 * Finds dead peers: after some silence a ping, after some more the end.
 *
 * All connections with the same times share one timer, which looks at each of them in turn: an idle connection has no
 * timer of its own. Any byte in and any progress out counts as life; and while we ourselves do not read, silence says
 * nothing about the peer.
 */

export interface HeartbeatTimes {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** What is looked at. */
export interface Heartbeating {
  /** Bytes that have come in. */
  readonly bytesIn: number;
  /** Bytes that have been given to the system. */
  readonly bytesOut: number;
  /** Whether we ourselves hold the peer back. */
  readonly isHeld: boolean;
  /** Sends a ping. @returns its bytes on the wire */
  sendHeartbeat(): number;
  /** The peer gave no sign of life for so many ms. */
  heartbeatFailed(silenceMs: number): void;
}

interface Pulse {
  bytesIn: number;
  bytesOut: number;
  /** Time of the last sign of life, and of the ping since; 0 for none. */
  aliveAt: number;
  pingedAt: number;
}

/** How many looks fall into the shorter of the two times: a peer is found dead at most a quarter of it too late. */
const LOOKS = 4;

class SharedHeartbeat {
  readonly #times: HeartbeatTimes;
  readonly #pulses = new Map<Heartbeating, Pulse>();
  #timer: NodeJS.Timeout | undefined;

  constructor(times: HeartbeatTimes) {
    this.#times = times;
  }

  get size(): number {
    return this.#pulses.size;
  }

  add(connection: Heartbeating): void {
    this.#pulses.set(connection, {
      bytesIn: connection.bytesIn,
      bytesOut: connection.bytesOut,
      aliveAt: performance.now(),
      pingedAt: 0,
    });
    if (this.#timer !== undefined) return;
    const period = Math.max(1, Math.min(this.#times.intervalMs, this.#times.timeoutMs) / LOOKS);
    this.#timer = setInterval(() => this.#look(), period);
    // The sockets keep the process alive, not the heartbeat.
    this.#timer.unref();
  }

  delete(connection: Heartbeating): void {
    this.#pulses.delete(connection);
    if (this.#pulses.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = performance.now();
    for (const [connection, pulse] of this.#pulses) this.#check(connection, pulse, now);
  }

  #check(connection: Heartbeating, pulse: Pulse, now: number): void {
    const { bytesIn, bytesOut } = connection;
    if (bytesIn !== pulse.bytesIn || bytesOut > pulse.bytesOut || connection.isHeld) {
      pulse.bytesIn = bytesIn;
      pulse.bytesOut = bytesOut;
      pulse.aliveAt = now;
      pulse.pingedAt = 0;
    } else if (pulse.pingedAt === 0) {
      if (now - pulse.aliveAt >= this.#times.intervalMs) this.#ping(connection, pulse, now);
    } else if (now - pulse.pingedAt >= this.#times.timeoutMs) {
      connection.heartbeatFailed(Math.round(now - pulse.aliveAt));
    }
  }

  #ping(connection: Heartbeating, pulse: Pulse, now: number): void {
    // Our own ping leaving is no sign of the peer's life.
    pulse.bytesOut = connection.bytesOut + connection.sendHeartbeat();
    pulse.pingedAt = now;
  }
}

const heartbeats = new Map<string, SharedHeartbeat>();

/** Begins to look after a connection. @returns what ends it */
export function startHeartbeat(connection: Heartbeating, times: HeartbeatTimes): () => void {
  const key = `${times.intervalMs}/${times.timeoutMs}`;
  let heartbeat = heartbeats.get(key);
  if (heartbeat === undefined) {
    heartbeat = new SharedHeartbeat(times);
    heartbeats.set(key, heartbeat);
  }
  heartbeat.add(connection);
  return () => {
    heartbeat.delete(connection);
    if (heartbeat.size === 0) heartbeats.delete(key);
  };
}
