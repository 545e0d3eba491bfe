/** The `WebSocket` of Bun and Deno as a client. Arguments: the server, the game, then the names of the cases. */
import { runGame } from '../games.js';
import { open } from './platform-client.js';

await runGame(globalThis.Deno?.args ?? globalThis.process.argv.slice(2), open);
