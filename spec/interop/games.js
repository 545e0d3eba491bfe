/** What a client is started with: the server, the game, and the names of its cases. */
import { runCases } from './cases.js';
import { runCompressionCases } from './compression-cases.js';

export const GAMES = { plain: runCases, compression: runCompressionCases };

/** Plays a game from the command line; each result is a line of JSON. */
export function runGame([base, game, ...names], open) {
  return GAMES[game](names, open, base, (result) => console.log(JSON.stringify(result)));
}
