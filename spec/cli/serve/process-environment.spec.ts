import { describe, expect, it } from 'vitest';
import { createEnvironment } from '../../../lib/cli/serve/process-environment.ts';

const request = {
  url: '/room/7?a=b&c',
  headers: { host: 'localhost:1', origin: 'http://localhost:1', cookie: 'a=b', 'user-agent': 'x', proxy: 'evil' },
  remoteAddress: '::1',
  protocols: [],
  httpVersion: '1.1',
};

describe('createEnvironment', () => {
  it('says what the request says, beside what we have', () => {
    expect(createEnvironment({ PATH: '/bin' }, request, 'chat')).toEqual({
      PATH: '/bin',
      REMOTE_ADDR: '::1',
      REQUEST_URI: '/room/7?a=b&c',
      QUERY_STRING: 'a=b&c',
      WEBSOCKET_PROTOCOL: 'chat',
      HTTP_HOST: 'localhost:1',
      HTTP_ORIGIN: 'http://localhost:1',
      HTTP_COOKIE: 'a=b',
      HTTP_USER_AGENT: 'x',
    });
  });

  it('has no name that a header has chosen (httpoxy)', () => {
    expect(Object.keys(createEnvironment({}, request, '')).filter((name) => /PROXY/.test(name))).toEqual([]);
  });

  it('does not pass ours off as theirs, and joins what comes several times', () => {
    const headers = { cookie: ['a=b', 'c=d'] };
    const ours = { HTTP_ORIGIN: 'ours', REMOTE_ADDR: 'ours' };
    const env = createEnvironment(ours, { ...request, url: '/', headers, remoteAddress: undefined }, '');
    expect([env.HTTP_ORIGIN, env.REMOTE_ADDR, env.QUERY_STRING, env.HTTP_COOKIE]).toEqual([
      undefined,
      undefined,
      '',
      'a=b, c=d',
    ]);
  });
});
