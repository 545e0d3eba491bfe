/**
 * The echo page over HTTP: one file, read once, served from memory under a policy that lets it load nothing else.
 *
 * The policy names the page's own script and style by their hashes and lets no string become markup, so a peer's text
 * could not run even if the page had a mistake.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Stands beside this file in lib/, and beside the compiled one in dist/. */
const PAGE_URL = new URL('./echo-page.html', import.meta.url);

const LIMIT_META = /(<meta name="wspipe-max-message-bytes" content=")\d+(">)/;

/** The page as it is served. */
export interface Page {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Reads the page and writes the server's limit into it.
 *
 * @param maxMessageBytes the largest message that the server takes, in bytes; the page refuses to send a larger one
 */
export async function loadPage(maxMessageBytes: number): Promise<Page> {
  const html = (await readFile(PAGE_URL, 'utf8')).replace(LIMIT_META, `$1${maxMessageBytes}$2`);
  return { body: Buffer.from(html), headers: { ...SAFE_HEADERS, 'content-security-policy': formatPolicy(html) } };
}

/** Answers `GET` and `HEAD` of `/` with the page, other methods with 405, other paths with 404. */
export function createPageHandler(page: Page): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const path = request.url?.split('?', 1)[0];
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (path !== '/') answer(response, 404, {}, 'Not found. The page is at /\n');
    else if (!isRead)
      answer(response, 405, { allow: 'GET, HEAD' }, 'Method not allowed. The page takes GET and HEAD.\n');
    else answer(response, 200, { ...page.headers, 'content-type': 'text/html; charset=utf-8' }, page.body);
  };
}

const SAFE_HEADERS: Readonly<Record<string, string>> = {
  // Another version of wspipe may answer at the same address tomorrow.
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  // Together these isolate the page, for which browsers reward it with a finer clock: round trips take microseconds.
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
};

/** Node leaves the body of an answer to HEAD away by itself, and keeps its content-length. */
function answer(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer | string,
): void {
  const content = { 'content-type': 'text/plain; charset=utf-8', 'content-length': String(Buffer.byteLength(body)) };
  response.writeHead(status, { ...SAFE_HEADERS, ...content, ...headers }).end(body);
}

function formatPolicy(html: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashElement(html, 'script')}`,
    `style-src ${hashElement(html, 'style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

/** The CSP source of the text between the tags of the only `<name>` in our own page. */
function hashElement(html: string, name: 'script' | 'style'): string {
  const start = html.indexOf('>', html.indexOf(`<${name}`)) + 1;
  const text = html.slice(start, html.indexOf(`</${name}>`, start));
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
