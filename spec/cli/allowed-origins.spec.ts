import { describe, expect, it } from 'vitest';
import { guardOrigins, readAllowedOrigins } from '../../lib/cli/allowed-origins.ts';
import { Values } from '../../lib/cli/values.ts';
import { connect } from '../../lib/endpoint/client/connect.ts';
import type { HandshakeError } from '../../lib/errors.ts';
import { boundServer, urlOf } from '../support/endpoints.ts';

const read = (...origins: string[]) => readAllowedOrigins(new Values(new Map([['allow-origin', origins]])));

describe('readAllowedOrigins', () => {
  it('takes origins as browsers write them, all, or none', () => {
    expect(readAllowedOrigins(new Values(new Map()))).toBeUndefined();
    expect(read('https://a.example', 'null')).toEqual(['https://a.example', 'null']);
    expect(read('https://a.example', '*')).toBe('*');
  });

  it('explains what is no origin', () => {
    expect(() => read('a.example')).toThrow(
      '--allow-origin: "a.example" is not an origin such as \'https://example.com\'.',
    );
  });
});

describe('guardOrigins', () => {
  async function statusOf(host: string, headers: Record<string, string>, allowed?: string[]): Promise<number> {
    const server = await boundServer(guardOrigins(allowed, host));
    const { port } = server;
    const fields = Object.entries(headers).map(([name, value]) => [name, value.replace('PORT', String(port))] as const);
    try {
      const conn = await connect(urlOf(server), { headers: fields });
      await conn.close();
      return 101;
    } catch (error) {
      return (error as HandshakeError).status;
    }
  }

  it.each([
    ['127.0.0.1', {}, 101],
    ['127.0.0.1', { Origin: 'http://127.0.0.1:PORT' }, 101],
    ['localhost', { Host: 'localhost:PORT', Origin: 'http://localhost:PORT' }, 101],
    ['::1', { Host: '[::1]:PORT', Origin: 'http://[::1]:PORT' }, 101],
    ['127.0.0.1', { Host: 'app.localhost:PORT', Origin: 'http://app.localhost:PORT' }, 101],
    ['127.0.0.1', { Origin: 'https://evil.example' }, 403],
    // DNS rebinding: the name of a foreign page leads here.
    ['127.0.0.1', { Host: 'evil.example:PORT', Origin: 'http://evil.example:PORT' }, 403],
    ['127.0.0.1', { Host: 'localhost.evil.example:PORT', Origin: 'http://localhost.evil.example:PORT' }, 403],
    // A program may call us by any name.
    ['127.0.0.1', { Host: 'evil.example:PORT' }, 101],
    // What listens to the network is found by names that we do not know.
    ['0.0.0.0', { Host: 'box.example:PORT', Origin: 'http://box.example:PORT' }, 101],
  ])('at %s answers %j with %i', async (host, headers, status) => {
    expect(await statusOf(host, headers)).toBe(status);
  });

  it('lets pages in that are named', async () => {
    expect(await statusOf('127.0.0.1', { Origin: 'https://a.example' }, ['https://a.example'])).toBe(101);
    expect(await statusOf('127.0.0.1', { Origin: 'http://127.0.0.1:PORT' }, ['https://a.example'])).toBe(403);
  });
});
