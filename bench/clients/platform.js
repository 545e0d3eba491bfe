// The platform's own WebSocket. Run by bun and deno.
import { run } from './contract.js';
import { openWith } from './standard-web-socket.js';

await run(openWith(WebSocket));
