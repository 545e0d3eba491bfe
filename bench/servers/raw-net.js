// The ceiling of Node's sockets: no handshake, and bytes go back as they came.
import { createServer } from 'node:net';
import { announce } from './contract.js';
import { serveRaw } from './raw-jobs.js';

const server = createServer(serveRaw);
server.listen(0, '127.0.0.1', () => announce(server.address().port));
