// undici's WebSocket.
import { WebSocket } from 'undici';
import { run } from './contract.js';
import { openWith } from './standard-web-socket.js';

await run(openWith(WebSocket));
