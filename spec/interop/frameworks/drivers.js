/** How the programs of docs/guide/frameworks.md are used: HTTP goes on, our path is ours, other upgrades are not. */
import assert from 'node:assert/strict';
import { connect } from '../../../dist/index.js';

/** Opens a connection, says something, and gives the answer. */
async function ask(url, text, options) {
  const conn = await connect(url, options);
  await conn.sendText(text);
  const answer = (await conn.recvFrame()).payloadText();
  assert.equal((await conn.close()).wasClean, true);
  return answer;
}

async function assertRefused(url, status, options) {
  await assert.rejects(connect(url, options), { status });
}

/** A chat on a path, and nothing elsewhere. */
async function useChat({ http, ws }, page) {
  assert.equal(await (await fetch(http)).text(), page);
  assert.equal(await ask(`${ws}/chat`, 'Grüße'), 'Grüße');
  await assertRefused(`${ws}/chat`, 403, { origin: 'https://evil.example' });
  await assertRefused(`${ws}/other`, 404);
}

/** The cookies that a response sets, as a request sends them. */
const cookiesOf = (response) =>
  response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');

/** A server that knows its users by a cookie. */
async function useSession({ ws }, response) {
  await assertRefused(`${ws}/`, 401);
  const cookie = cookiesOf(response);
  assert.equal(await ask(`${ws}/`, 'hello', { headers: { cookie } }), 'Ada: hello');
  await assertRefused(`${ws}/`, 401, { headers: { cookie: cookie.replace(/.$/, '') } });
}

export const DRIVERS = {
  'plain-http': (server) => useChat(server, 'a page\n'),

  async express(server) {
    const headers = { 'content-type': 'application/json' };
    const login = await fetch(`${server.http}/login`, { method: 'POST', headers, body: '{"name":"Ada"}' });
    assert.equal(await login.text(), 'welcome, Ada\n');
    await useSession(server, login);
  },

  async fastify(server) {
    await useChat(server, '{"connections":0}');
    const conn = await connect(`${server.ws}/chat`);
    server.stop();
    assert.equal(await conn.recvFrame(), null);
    assert.equal((await conn.closeInfo).code, 1001);
    assert.equal(await server.ended, 0);
  },

  async koa(server) {
    const response = await fetch(server.http);
    assert.equal(await response.text(), 'now you are Ada\n');
    await useSession(server, response);
  },

  async hono(server) {
    assert.equal(await (await fetch(server.http)).text(), 'a page\n');
    assert.equal(await ask(`${server.ws}/chat`, 'Grüße'), 'Grüße');
  },

  async vite({ http, ws }) {
    const client = await (await fetch(`${http}/@vite/client`)).text();
    assert.equal(await ask(`${ws}/chat`, 'Grüße'), 'Grüße');
    const token = /const wsToken = "([\w-]+)"/.exec(client)[1];
    const reloads = await connect(`${ws}/?token=${token}`, { protocols: ['vite-hmr'] });
    assert.equal((await reloads.recvFrame()).payloadText(), '{"type":"connected"}');
    await reloads.close();
  },

  async 'beside-ws'({ ws }) {
    assert.equal(await ask(`${ws}/old`, 'hello'), 'ws: hello');
    assert.equal(await ask(`${ws}/new`, 'hello'), 'wspipe: hello');
  },
};
