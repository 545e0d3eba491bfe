// A plain socket, upgraded by hand.
import { connect } from 'node:net';
import { Unavailable } from '../unavailable.js';

const KEY = 'AQIDBAUGBwgJCgsMDQ4PEA==';
/** What RFC 6455 §1.3 makes of that key. */
const ACCEPT = 'C/0nmHhBztSRGR1CwL6Tf4ZjwpY=';
/** Several addresses of the loopback, so that tens of thousands of connections do not run out of ports. */
const ADDRESSES = process.platform === 'linux' ? 8 : 1;

let opened = 0;

function request(extensions) {
  const extra = extensions === '' ? '' : `Sec-WebSocket-Extensions: ${extensions}\r\n`;
  const fields = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13`;
  return `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n${fields}\r\n${extra}\r\n`;
}

function readResponse(socket, head, extensions) {
  if (!/^HTTP\/1\.1 101 /.test(head)) throw new Error(`the server answered ${head.split('\r\n', 1)[0]}`);
  if (!head.includes(ACCEPT)) throw new Error('the server calculated another Sec-WebSocket-Accept');
  const agreed = /^sec-websocket-extensions: *(.*)$/im.exec(head)?.[1].trim() ?? '';
  if (extensions !== '' && agreed === '') throw new Unavailable('it does not agree to compress');
  return socket;
}

/**
 * Resolves when frames may be sent; `isBare` is a socket without a handshake. `isBrief`: it is over soon. Its port is then
 * still taken for a minute, and to find a free one for a given address would soon take the system longer than all else.
 */
export function openSocket({ port, isBare = false, extensions = '', isBrief = false }) {
  const localAddress = isBrief ? undefined : `127.0.0.${1 + (opened++ % ADDRESSES)}`;
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true }).once('error', reject);
    const done = () => socket.off('error', reject).off('data', onData);
    if (isBare) return socket.once('connect', () => resolve(done()));
    let head = '';
    function onData(chunk) {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      done();
      try {
        resolve(readResponse(socket, head, extensions));
      } catch (error) {
        reject(error);
      }
    }
    socket.on('data', onData);
    socket.write(request(extensions));
  });
}

/** Opens many, so many at a time. */
export async function openSockets(count, options, atATime = 128) {
  const sockets = [];
  for (let left = count; left > 0; left -= atATime) {
    const batch = Array.from({ length: Math.min(left, atATime) }, () => openSocket(options));
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}
