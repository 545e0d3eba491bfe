import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { wheel } from '../../../lib/connection/time/timer-wheel.ts';
import { Vigil, type VigilLimit, type VigilTimes } from '../../../lib/connection/time/vigil.ts';

const HEARTBEAT = { intervalMs: 400, timeoutMs: 800 };
const NEVER = Number.POSITIVE_INFINITY;
const NOTHING: VigilTimes = { heartbeat: undefined, writeTimeoutMs: NEVER, idleTimeoutMs: NEVER };
const ALIVE: VigilTimes = { ...NOTHING, heartbeat: HEARTBEAT };
const PING_BYTES = 2;
/** How often a connection of HEARTBEAT is looked at: a quarter of the shorter time, and what the wheel rounds up. */
const LOOK_MS = 104;
/** How much too late the wheel may be for all of these times. */
const LATE_MS = 32;

/** A connection that only counts. */
class Patient extends Vigil {
  bytesIn = 0;
  bytesOut = 0;
  bytesWaiting = 0;
  dataFrames = 0;
  isHeld = false;
  hasUnread = false;
  pings = 0;
  over: [VigilLimit, number][] = [];

  sendHeartbeat(): number {
    this.pings++;
    return PING_BYTES;
  }

  timedOut(limit: VigilLimit, ms: number): void {
    this.over.push([limit, ms]);
  }
}

const patients: Patient[] = [];
function watch(times: VigilTimes = ALIVE): Patient {
  const patient = new Patient(times);
  patients.push(patient);
  patient.startVigil();
  return patient;
}

/** Says that a limit was reached when it should be, and not much later. */
function expectOver({ over }: Patient, limit: VigilLimit, ms: number): void {
  expect(over.map(([name]) => name)).toEqual([limit]);
  expect(over[0]![1]).toBeGreaterThanOrEqual(ms);
  expect(over[0]![1]).toBeLessThanOrEqual(ms + 2 * LATE_MS);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  for (const patient of patients.splice(0)) patient.endVigil();
  vi.useRealTimers();
});

describe('a silent peer', () => {
  it('is pinged after intervalMs, and given up timeoutMs later, with the length of the silence', () => {
    const patient = watch();
    vi.advanceTimersByTime(HEARTBEAT.intervalMs - 1);
    expect(patient.pings).toBe(0);
    vi.advanceTimersByTime(1 + LATE_MS);
    expect(patient.pings).toBe(1);
    vi.advanceTimersByTime(HEARTBEAT.timeoutMs - LATE_MS - 1);
    expect([patient.pings, patient.over]).toEqual([1, []]);
    vi.advanceTimersByTime(2 * LATE_MS);
    expect(patient.pings).toBe(1);
    expectOver(patient, 'heartbeat', HEARTBEAT.intervalMs + HEARTBEAT.timeoutMs);
  });

  it('is found at most two looks too late, whenever its last byte came', () => {
    const patient = watch();
    vi.advanceTimersByTime(1);
    patient.bytesIn = 1;
    vi.advanceTimersByTime(HEARTBEAT.intervalMs + HEARTBEAT.timeoutMs - 1);
    expect(patient.over).toEqual([]);
    vi.advanceTimersByTime(2 * LOOK_MS);
    expect(patient.over).toHaveLength(1);
  });

  it('is told of once, and is not looked at any more', () => {
    const patient = watch();
    vi.advanceTimersByTime(100 * HEARTBEAT.timeoutMs);
    expect([patient.pings, patient.over.length, wheel.size]).toEqual([1, 1, 0]);
  });
});

describe('life', () => {
  const signs: [string, (patient: Patient) => void][] = [
    ['a byte in', (patient) => patient.bytesIn++],
    ['progress out', (patient) => patient.bytesOut++],
    ['the answer to a ping', (patient) => (patient.bytesIn += PING_BYTES)],
  ];

  it.each(signs)('is %s before the ping: none is sent', (_name, live) => {
    const patient = watch();
    for (let turn = 0; turn < 20; turn++) {
      vi.advanceTimersByTime(HEARTBEAT.intervalMs - LOOK_MS);
      live(patient);
    }
    expect([patient.pings, patient.over]).toEqual([0, []]);
  });

  it.each(signs)('is %s after the ping: the peer is spared, and pinged again after the next silence', (_name, live) => {
    const patient = watch();
    vi.advanceTimersByTime(HEARTBEAT.intervalMs + LATE_MS);
    patient.bytesOut += PING_BYTES;
    live(patient);
    vi.advanceTimersByTime(HEARTBEAT.timeoutMs - LOOK_MS);
    expect(patient.over).toEqual([]);
    vi.advanceTimersByTime(HEARTBEAT.timeoutMs);
    expect(patient.pings).toBe(2);
  });

  it('is not our own ping that leaves, at once or late', () => {
    for (const delay of [LATE_MS, LOOK_MS, HEARTBEAT.timeoutMs - LOOK_MS]) {
      const patient = watch();
      vi.advanceTimersByTime(HEARTBEAT.intervalMs + delay);
      patient.bytesOut += PING_BYTES;
      vi.advanceTimersByTime(HEARTBEAT.timeoutMs - delay + 2 * LATE_MS);
      expectOver(patient, 'heartbeat', HEARTBEAT.intervalMs + HEARTBEAT.timeoutMs);
    }
  });

  it('is anything behind our ping that leaves', () => {
    const patient = watch();
    vi.advanceTimersByTime(HEARTBEAT.intervalMs + LATE_MS);
    patient.bytesOut += PING_BYTES + 1;
    vi.advanceTimersByTime(HEARTBEAT.timeoutMs);
    expect(patient.over).toEqual([]);
  });

  it('is not judged while we hold the peer back ourselves', () => {
    const patient = watch();
    vi.advanceTimersByTime(HEARTBEAT.intervalMs + LATE_MS);
    patient.isHeld = true;
    vi.advanceTimersByTime(10 * (HEARTBEAT.intervalMs + HEARTBEAT.timeoutMs));
    expect([patient.pings, patient.over]).toEqual([1, []]);
    patient.isHeld = false;
    vi.advanceTimersByTime(HEARTBEAT.intervalMs + HEARTBEAT.timeoutMs + 2 * LATE_MS);
    expect([patient.pings, patient.over.length]).toEqual([2, 1]);
  });
});

describe('a peer that takes nothing of what waits for it', () => {
  const times = { ...NOTHING, writeTimeoutMs: 1000 };

  it('is given up after writeTimeoutMs, though it sends all the while', () => {
    const patient = watch(times);
    patient.bytesWaiting = 100;
    for (let ms = 0; ms < 999; ms += 37) {
      patient.bytesIn++;
      vi.advanceTimersByTime(37);
    }
    expect(patient.over).toEqual([]);
    vi.advanceTimersByTime(2 * LATE_MS);
    expectOver(patient, 'writeTimeoutMs', 1000);
  });

  it('is spared as long as anything leaves, or nothing waits', () => {
    const patient = watch(times);
    for (let turn = 0; turn < 20; turn++) {
      patient.bytesWaiting = 100;
      vi.advanceTimersByTime(600);
      if (turn % 2 === 0) patient.bytesOut++;
      else patient.bytesWaiting = 0;
      vi.advanceTimersByTime(300);
    }
    expect(patient.over).toEqual([]);
  });

  it('is not excused by a heartbeat that waits with the rest', () => {
    const patient = watch({ ...times, heartbeat: { intervalMs: 300, timeoutMs: 5000 } });
    patient.bytesWaiting = 100;
    vi.advanceTimersByTime(1000 + 2 * LATE_MS);
    expect(patient.pings).toBe(1);
    expectOver(patient, 'writeTimeoutMs', 1000);
  });
});

describe('a connection on which nothing is said', () => {
  const times = { ...NOTHING, idleTimeoutMs: 1000 };

  it('is told of after idleTimeoutMs, though bytes go both ways: pings are no messages', () => {
    const patient = watch(times);
    for (let ms = 0; ms < 999; ms += 37) {
      patient.bytesIn++;
      patient.bytesOut++;
      vi.advanceTimersByTime(37);
    }
    expect(patient.over).toEqual([]);
    vi.advanceTimersByTime(2 * LATE_MS);
    expectOver(patient, 'idleTimeoutMs', 1000);
  });

  it.each<[string, (patient: Patient) => void]>([
    ['a message goes or comes', (patient) => patient.dataFrames++],
    ['something waits to be sent', (patient) => (patient.bytesWaiting = 1)],
    ['something waits to be read', (patient) => (patient.hasUnread = true)],
    ['we hold the peer back', (patient) => (patient.isHeld = true)],
  ])('goes on while %s', (_name, speak) => {
    const patient = watch(times);
    for (let turn = 0; turn < 10; turn++) {
      vi.advanceTimersByTime(600);
      speak(patient);
    }
    expect(patient.over).toEqual([]);
  });
});

describe('the watch', () => {
  it('is an entry of the wheel and one timer for all connections, and gone with the last of them', () => {
    const all = Array.from({ length: 50 }, () => watch());
    watch({ ...ALIVE, idleTimeoutMs: 70 }).endVigil();
    expect([wheel.size, vi.getTimerCount()]).toEqual([50, 1]);
    vi.advanceTimersByTime(HEARTBEAT.intervalMs + LATE_MS);
    expect(all.every(({ pings }) => pings === 1)).toBe(true);
    for (const patient of all.slice(1)) patient.endVigil();
    expect([wheel.size, vi.getTimerCount()]).toEqual([1, 1]);
    all[0]!.endVigil();
    expect([wheel.size, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it('is not kept where there is nothing to look for', () => {
    watch(NOTHING);
    expect([wheel.size, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it('goes on for the others when one of them ends in the middle of a look', () => {
    const [first, second] = [watch(), watch()];
    first.timedOut = () => first.endVigil();
    vi.advanceTimersByTime(HEARTBEAT.intervalMs + HEARTBEAT.timeoutMs + 2 * LATE_MS);
    expectOver(second, 'heartbeat', HEARTBEAT.intervalMs + HEARTBEAT.timeoutMs);
  });

  it('does not keep the process alive', () => {
    expect(watch().holdsProcess).toBe(false);
  });
});
