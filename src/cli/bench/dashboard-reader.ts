/** A page that reads all and draws nothing: `node … URL`, told `on` and `off` by the line. */
import { WebSocket } from 'ws';

const origin = process.argv[2]!.replace(/\/$/, '');
let socket: WebSocket | undefined;

process.stdin.on('data', (lines: Buffer) => {
  socket?.terminate();
  // Whoever starts late finds several: the last one holds.
  if (lines.toString().trim().split('\n').at(-1) !== 'on') return;
  socket = new WebSocket(`${origin.replace('http', 'ws')}/live`, { origin });
  socket.on('message', (data, isBinary) => {
    if (!isBinary) JSON.parse((data as Buffer).toString('utf8'));
  });
});
process.stdin.on('end', () => process.exit(0));
