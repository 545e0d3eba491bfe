import { connect, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { leaksSince, settle, takeBaseline } from './leak-watch.ts';

it('sees a timer that is pending, with the place that made it', async () => {
  const baseline = takeBaseline();
  const timer = setTimeout(() => {}, 60_000);
  const leaks = await settle(baseline, 20);
  clearTimeout(timer);
  expect(leaks).toEqual([expect.stringContaining('a timer of 60000 ms')]);
  expect(leaks[0]).toContain('no-leaks.spec.ts');
  expect(leaksSince(baseline)).toEqual([]);
});

it("sees a timer that is unref'd, and one that repeats", () => {
  const baseline = takeBaseline();
  const timer = setInterval(() => {}, 60_000).unref();
  const leaks = leaksSince(baseline);
  clearInterval(timer);
  expect(leaks).toEqual([expect.stringContaining('a repeating timer of 60000 ms')]);
});

it('does not count a timer that fired, and counts it again when it is refreshed', async () => {
  const baseline = takeBaseline();
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 1);
  });
  expect(leaksSince(baseline)).toEqual([]);
  timer?.refresh();
  expect(leaksSince(baseline)).toHaveLength(1);
  clearTimeout(timer);
});

it('sees a server and a socket, and their end', async () => {
  const baseline = takeBaseline();
  const server = createServer((socket) => socket.resume().on('end', () => socket.end()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const socket = connect(port, '127.0.0.1');
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  expect((await settle(baseline, 0)).join()).toMatch(/TCPServerWrap/);
  expect((await settle(baseline, 0)).join()).toMatch(/TCPSocketWrap/);
  socket.destroy();
  server.close();
  expect(await settle(baseline)).toEqual([]);
});
