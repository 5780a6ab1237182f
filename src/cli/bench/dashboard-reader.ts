/** A page that reads all and draws nothing, as a process: `node … URL`, told `on` and `off`. */
import { WebSocket } from 'ws';

const origin = process.argv[2]!.replace(/\/$/, '');
let socket: WebSocket | undefined;

process.stdin.on('data', (word: Buffer) => {
  socket?.terminate();
  if (word.toString() !== 'on') return;
  socket = new WebSocket(`${origin.replace('http', 'ws')}/live`, { origin });
  socket.on('message', (data, isBinary) => {
    if (!isBinary) JSON.parse((data as Buffer).toString('utf8'));
  });
});
process.stdin.on('end', () => process.exit(0));
