import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Heartbeating, startHeartbeat } from '../../lib/connection/heartbeat.ts';
import { WsConnection } from '../../lib/connection/ws-connection.ts';
import { createPair } from '../../lib/endpoint/pair.ts';
import { memoryPair } from '../support/sockets.ts';

const TIMES = { intervalMs: 400, timeoutMs: 800 };
const PING_BYTES = 2;
/** How often all connections of TIMES are looked at: a quarter of the shorter time. */
const LOOK_MS = 100;

/** A connection that only counts. */
class Patient implements Heartbeating {
  bytesIn = 0;
  bytesOut = 0;
  isHeld = false;
  pings = 0;
  silences: number[] = [];

  sendHeartbeat(): number {
    this.pings++;
    return PING_BYTES;
  }

  heartbeatFailed(silenceMs: number): void {
    this.silences.push(silenceMs);
  }
}

const stops: (() => void)[] = [];
function watch(patient: Patient, times = TIMES): () => void {
  const stop = startHeartbeat(patient, times);
  stops.push(stop);
  return stop;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  vi.useRealTimers();
});

describe('a silent peer', () => {
  it('is pinged after intervalMs, and given up timeoutMs later, with the length of the silence', () => {
    const patient = new Patient();
    watch(patient);
    vi.advanceTimersByTime(TIMES.intervalMs - 1);
    expect(patient.pings).toBe(0);
    vi.advanceTimersByTime(1);
    expect(patient.pings).toBe(1);
    vi.advanceTimersByTime(TIMES.timeoutMs - 1);
    expect([patient.pings, patient.silences]).toEqual([1, []]);
    vi.advanceTimersByTime(1);
    expect([patient.pings, patient.silences]).toEqual([1, [TIMES.intervalMs + TIMES.timeoutMs]]);
  });

  it('is found at most two looks too late, whenever its last byte came', () => {
    const patient = new Patient();
    watch(patient);
    vi.advanceTimersByTime(1);
    patient.bytesIn = 1;
    vi.advanceTimersByTime(TIMES.intervalMs + TIMES.timeoutMs - 1);
    expect(patient.silences).toEqual([]);
    vi.advanceTimersByTime(2 * LOOK_MS);
    expect(patient.silences.length).toBeGreaterThan(0);
  });
});

describe('life', () => {
  const signs: [string, (patient: Patient) => void][] = [
    ['a byte in', (patient) => patient.bytesIn++],
    ['progress out', (patient) => patient.bytesOut++],
    ['the answer to a ping', (patient) => (patient.bytesIn += PING_BYTES)],
  ];

  it.each(signs)('is %s before the ping: none is sent', (_name, live) => {
    const patient = new Patient();
    watch(patient);
    for (let turn = 0; turn < 20; turn++) {
      vi.advanceTimersByTime(TIMES.intervalMs - LOOK_MS);
      live(patient);
    }
    expect([patient.pings, patient.silences]).toEqual([0, []]);
  });

  it.each(signs)('is %s after the ping: the peer is spared, and pinged again after the next silence', (_name, live) => {
    const patient = new Patient();
    watch(patient);
    vi.advanceTimersByTime(TIMES.intervalMs);
    patient.bytesOut += PING_BYTES;
    live(patient);
    vi.advanceTimersByTime(TIMES.timeoutMs - LOOK_MS);
    expect(patient.silences).toEqual([]);
    vi.advanceTimersByTime(TIMES.timeoutMs);
    expect(patient.pings).toBe(2);
  });

  it('is not our own ping that leaves, at once or late', () => {
    for (const delay of [0, LOOK_MS, TIMES.timeoutMs - LOOK_MS]) {
      const patient = new Patient();
      const stop = watch(patient);
      vi.advanceTimersByTime(TIMES.intervalMs + delay);
      patient.bytesOut += PING_BYTES;
      vi.advanceTimersByTime(TIMES.timeoutMs - delay);
      expect(patient.silences).toEqual([TIMES.intervalMs + TIMES.timeoutMs]);
      stop();
    }
  });

  it('is anything behind our ping that leaves', () => {
    const patient = new Patient();
    watch(patient);
    vi.advanceTimersByTime(TIMES.intervalMs);
    patient.bytesOut += PING_BYTES + 1;
    vi.advanceTimersByTime(TIMES.timeoutMs);
    expect(patient.silences).toEqual([]);
  });

  it('is not judged while we hold the peer back ourselves', () => {
    const patient = new Patient();
    watch(patient);
    vi.advanceTimersByTime(TIMES.intervalMs);
    patient.isHeld = true;
    vi.advanceTimersByTime(10 * (TIMES.intervalMs + TIMES.timeoutMs));
    expect([patient.pings, patient.silences]).toEqual([1, []]);
    patient.isHeld = false;
    vi.advanceTimersByTime(TIMES.intervalMs + TIMES.timeoutMs);
    expect([patient.pings, patient.silences]).toEqual([2, [TIMES.intervalMs + TIMES.timeoutMs]]);
  });
});

describe('the timer', () => {
  it('is one for all connections with the same times, and gone with the last of them', () => {
    const patients = Array.from({ length: 50 }, () => new Patient());
    const ends = patients.map((patient) => watch(patient));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(TIMES.intervalMs);
    expect(patients.every(({ pings }) => pings === 1)).toBe(true);
    for (const end of ends.slice(1)) end();
    expect(vi.getTimerCount()).toBe(1);
    ends[0]!();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is another one for other times', () => {
    watch(new Patient());
    watch(new Patient(), { ...TIMES, intervalMs: 401 });
    expect(vi.getTimerCount()).toBe(2);
  });

  it('comes back with the next connection', () => {
    watch(new Patient())();
    const patient = new Patient();
    watch(patient);
    vi.advanceTimersByTime(TIMES.intervalMs);
    expect(patient.pings).toBe(1);
  });

  it('goes on for the others when one of them stops in the middle of a look', () => {
    const [first, second] = [new Patient(), new Patient()];
    const stop = watch(first);
    first.heartbeatFailed = stop;
    watch(second);
    vi.advanceTimersByTime(TIMES.intervalMs + TIMES.timeoutMs);
    expect(second.silences).toEqual([TIMES.intervalMs + TIMES.timeoutMs]);
  });

  it('does not keep the process alive', () => {
    vi.useRealTimers();
    const made: NodeJS.Timeout[] = [];
    const native = globalThis.setInterval;
    vi.spyOn(globalThis, 'setInterval').mockImplementation(((run: () => void, ms: number) => {
      const timer = native(run, ms);
      made.push(timer);
      return timer;
    }) as typeof setInterval);
    const stop = watch(new Patient());
    vi.restoreAllMocks();
    expect(made.map((timer) => timer.hasRef())).toEqual([false]);
    stop();
  });
});

describe('a connection with a heartbeat', () => {
  const heartbeat = { intervalMs: 20, timeoutMs: 20 };

  it('is cut with 1006 when the peer falls silent (§5.5.2)', async () => {
    vi.useRealTimers();
    const { server } = memoryPair();
    const conn = WsConnection.fromServer(server, { heartbeat });
    const info = await conn.closeInfo;
    expect(info).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' });
    expect(info.error?.message).toMatch(/no sign of life for \d+ ms/);
    expect(await conn.recvFrame()).toBeNull();
  });

  it('lives on with a peer that answers pings and says nothing else', async () => {
    vi.useRealTimers();
    const { client, server } = createPair({ heartbeat });
    for (let pings = 0; pings < 5; pings++) await client.ping();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect([client.isOpen(), server.isOpen()]).toEqual([true, true]);
    await Promise.all([client.close(), server.recvFrame()]);
  });
});
