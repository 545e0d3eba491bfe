/**
 * Law: every code block in README and docs/ compiles against the built package and runs. A block that ends by itself
 * must print what it says it prints; a server is talked to.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WsServer } from '../../lib/index.ts';
import { drivers, expectTunnel, run, tunnelled } from './example-drivers.ts';
import { compileExamples, type Example, freePort, readExamples, removeExamples, start } from './example-runs.ts';

/** They need a broker, and the types of its client: spec/brokers/examples.spec.ts compiles and runs them. */
const needsBroker = new Set(['backplane-redis', 'backplane-nats']);

const examples = readExamples().filter(({ name }) => !needsBroker.has(name));

/** Examples that need a server to talk to. */
const needsEcho = new Set(['client', 'client-guide', 'client-recv', 'start-upload-client']);

/** How many run beside each other: they wait for most of their time. */
const AT_ONCE = 4;

interface Outcome {
  readonly status: number | null;
  readonly output: string;
}

const endsByItself = ({ name }: Example): boolean => drivers[name] === undefined && tunnelled[name] === undefined;
const outcomes: Map<string, Outcome> = new Map();

/** Runs all that end by themselves, which takes most of the time of this file one by one. */
async function runTheEnding(): Promise<void> {
  const server = await WsServer.bind(0, { protocols: ['chat.v2'] });
  void server.runEcho();
  const waiting = examples.filter(endsByItself).values();
  const work = async (): Promise<void> => {
    for (const { name } of waiting) {
      const { ended, output } = await start(name, needsEcho.has(name) ? server.port : await freePort());
      outcomes.set(name, { status: await ended, output: output() });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await server.close();
}

beforeAll(async () => {
  compileExamples(examples);
  await runTheEnding();
}, 120_000);

afterAll(removeExamples);

describe('the examples in README and docs/', () => {
  it('have names of their own, and every driver has its example', () => {
    const names = examples.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect([...Object.keys(drivers), ...Object.keys(tunnelled)].filter((name) => !names.includes(name))).toEqual([]);
    expect([...needsEcho].filter((name) => !names.includes(name))).toEqual([]);
  });

  it.for(examples.filter(endsByItself))('$name runs as written', ({ name, prints }) => {
    const { status, output } = outcomes.get(name)!;
    expect({ status, output }).toMatchObject({ status: 0 });
    if (prints.length > 0) expect(output.trim().split('\n')).toEqual(prints);
  });

  it.for(Object.keys(drivers))('%s runs as written', { timeout: 20_000 }, async (name) => {
    await drivers[name]!(await run(name, await freePort()));
  });

  it.for(Object.keys(tunnelled))('%s runs as written', { timeout: 20_000 }, async (name) => {
    const port = await freePort();
    await expectTunnel(port, await WsServer.bind(0, tunnelled[name]), () => run(name, port));
  });
});
