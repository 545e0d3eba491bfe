// wspipe, read by its 'data' event and written with write().
import { connect } from '../../dist/index.js';
import { run } from './contract.js';

await run(async (url, onMessage) => {
  const conn = await connect(url);
  conn.on('data', (frame) => onMessage(frame.payload));
  return (data) => conn.write(data);
});
