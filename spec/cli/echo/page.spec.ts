import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPageHandler, loadPage } from '../../../lib/cli/echo/page.ts';
import { portOf } from '../../support/sockets.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function ask(method: string, path: string, maxMessageBytes = 1024): Promise<Answer> {
  const server = createServer(createPageHandler(await loadPage(maxMessageBytes)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return new Promise((resolve, reject) => {
    const asked = request({ port: portOf(server), host: '127.0.0.1', method, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    asked.on('error', reject).end();
  });
}

const policyOf = ({ headers }: Answer): ReadonlyMap<string, string> =>
  new Map(
    String(headers['content-security-policy'])
      .split('; ')
      .map((rule) => [rule.split(' ')[0] ?? '', rule.split(' ').slice(1).join(' ')]),
  );

const textOf = (body: string, tag: string): string =>
  new RegExp(`<${tag}[^>]*>([\\s\\S]*?)</${tag}>`).exec(body)?.[1] ?? '';

describe('the page over HTTP', () => {
  it.each(['/', '/?from=readme'])('answers GET %s with the page, not to be kept', async (path) => {
    const { status, headers, body } = await ask('GET', path);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-length': String(Buffer.byteLength(body)),
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    expect(body).toMatch(/^<!doctype html>/);
  });

  it('answers HEAD with the same fields and no body', async () => {
    const [head, get] = [await ask('HEAD', '/'), await ask('GET', '/')];
    expect(head.status).toBe(200);
    expect(head.body).toBe('');
    expect({ ...head.headers, date: '' }).toEqual({ ...get.headers, date: '' });
  });

  it.each(['/favicon.ico', '/index.html', '//', '/../package.json'])('answers GET %s with 404', async (path) => {
    const { status, headers, body } = await ask('GET', path);
    expect([status, headers['content-type']]).toEqual([404, 'text/plain; charset=utf-8']);
    expect(body).toContain('The page is at /');
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('answers %s / with 405 and what it takes', async (method) => {
    const { status, headers } = await ask(method, '/');
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
  });

  it('tells the page how large a message the server takes', async () => {
    const { body } = await ask('GET', '/', 12_345);
    expect(body).toContain('<meta name="wspipe-max-message-bytes" content="12345">');
  });
});

describe('the policy of the page', () => {
  it('lets its own script and style run, by their hashes, and nothing else', async () => {
    const answer = await ask('GET', '/');
    const policy = policyOf(answer);
    for (const tag of ['script', 'style']) {
      expect(answer.body.split(`</${tag}>`)).toHaveLength(2);
      const hash = createHash('sha256').update(textOf(answer.body, tag)).digest('base64');
      expect(policy.get(`${tag}-src`)).toBe(`'sha256-${hash}'`);
    }
    expect(policy.get('default-src')).toBe("'none'");
    expect(String(answer.headers['content-security-policy'])).not.toContain('unsafe');
  });

  it('lets it connect to its own server only, and be framed by nobody', async () => {
    const policy = policyOf(await ask('GET', '/'));
    expect(policy.get('connect-src')).toBe("'self'");
    expect(policy.get('frame-ancestors')).toBe("'none'");
    expect(policy.get('require-trusted-types-for')).toBe("'script'");
  });
});

describe('the page itself', () => {
  it('turns no string into markup or code', async () => {
    const script = textOf((await ask('GET', '/')).body, 'script');
    expect(script).toContain('textContent');
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc/);
  });

  it('loads nothing from elsewhere', async () => {
    const { body } = await ask('GET', '/');
    const addresses = [...body.matchAll(/https?:\/\/[^\s'"`$)]+/g)].map(([address]) => address);
    expect(new Set(addresses)).toEqual(new Set(['http://www.w3.org/2000/svg']));
    expect(body).not.toMatch(/<(?:script|img|iframe|audio|video)[^>]*\ssrc=|@import|url\(|<link rel="stylesheet"/);
  });

  it('has no inline handlers and no inline styles, which its policy would stop', async () => {
    const { body } = await ask('GET', '/');
    expect(body).not.toMatch(/<[^>]+\s(?:on[a-z]+|style)=/);
  });

  it('gives a label to each field, and finds each element that its script asks for', async () => {
    const { body } = await ask('GET', '/');
    const ids = new Set([...body.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]));
    const wanted = [...textOf(body, 'script').matchAll(/byId\('([^'$]+)'\)/g)].map((match) => match[1]);
    expect(wanted.length).toBeGreaterThan(20);
    expect(wanted.filter((id) => !ids.has(id))).toEqual([]);
    for (const id of ['message', 'file-mode', 'burst-size']) expect(body).toContain(`for="${id}"`);
  });
});
