// What a process costs, read from outside and so in the same way for every runtime. Linux only.
import { readdirSync, readFileSync } from 'node:fs';

/** The CPU time of all threads in µs. (schedstat counts nanoseconds, where stat counts ticks of 10 ms.) */
export function cpuMicros(pid) {
  let nanos = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanos += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ', 1)[0]);
    } catch {
      // The thread ended meanwhile.
    }
  }
  return nanos / 1000;
}

/** Resident memory in bytes. */
export function residentBytes(pid) {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1]) * 1024;
}
