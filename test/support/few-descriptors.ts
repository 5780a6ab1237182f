/** Program of a test: receives and accepts with next to no descriptors left, says what it saw. */
import { openSync, closeSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createEventFd, descriptorKind } from '../../src/host/descriptors.ts';
import { UnixListener, UnixSocket } from '../../src/host/unix-socket.ts';

async function main(): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'gateway-few-'));
  const socketPath = path.join(directory, 'socket');
  const listener = UnixListener.open(socketPath);
  const [left, right] = UnixSocket.pair();
  const event = createEventFd();
  const fillers: number[] = [];
  const fill = (): void => {
    try {
      for (;;) fillers.push(openSync('/dev/null', 'r'));
    } catch {
      // There are no more.
    }
  };
  const bytes = new Uint8Array(8);
  left.send(bytes, 1, [event, event, event, event, event]);
  left.send(bytes, 1);
  fill();
  const withoutAny = [
    () => UnixSocket.pair(),
    () => UnixSocket.connect(socketPath),
    () => UnixListener.open(socketPath),
  ].map((action) => problemOf(action).replace(socketPath, 'PATH'));
  for (let n = 0; n < 3; n++) closeSync(fillers.pop()!);
  const received: number[] = [];
  const length = right.receive(bytes, 1, received);
  const { truncated } = right;
  const kinds = received.map(descriptorKind);
  right.receive(bytes, 1, received);

  let accepted = 0;
  listener.onConnection(() => accepted++);
  closeSync(fillers.pop()!);
  const client = UnixSocket.connect(socketPath)!;
  let closed = false;
  client.onReadable(() => {
    closed = client.receive(bytes, 1, received) === 0;
    client.pause();
  });
  while (!closed) await new Promise(setImmediate);
  const refused = accepted === 0;
  client.close();
  for (let n = 0; n < 3; n++) closeSync(fillers.pop()!);
  const later = UnixSocket.connect(socketPath)!;
  while (accepted === 0) await new Promise(setImmediate);
  later.close();
  listener.close();
  rmSync(directory, { recursive: true });
  const acceptedLater = accepted === 1;
  const seen = {
    ...{ withoutAny, length, kinds, truncated, thenTruncated: right.truncated },
    ...{ refused, acceptedLater },
  };
  process.stdout.write(JSON.stringify(seen), () => process.exit());
}

function problemOf(action: () => unknown): string {
  try {
    action();
    return 'it worked';
  } catch (error) {
    return (error as Error).message;
  }
}

void main();
