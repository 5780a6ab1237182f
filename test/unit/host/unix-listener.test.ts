/** Listening at a path: private from the start, leftovers replaced, live ones left alone. */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { closeDescriptor, openDescriptors } from '../../../src/host/descriptors.ts';
import { HostProblem } from '../../../src/host/host-problem.ts';
import { cFunction } from '../../../src/host/native/libc.ts';
import { bindSocket } from '../../../src/host/native/socket.ts';
import { UnixListener, UnixSocket } from '../../../src/host/unix-socket.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const socketOf = cFunction('int socket(int domain, int type, int protocol)');

describe('unix listener', () => {
  let directory: string;
  let before: number;
  const open: { close(): void }[] = [];

  beforeEach(() => {
    before = openDescriptors();
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'gateway-listener-'));
  });

  afterEach(() => {
    for (const one of open.splice(0)) one.close();
    fs.rmSync(directory, { recursive: true });
    assert.equal(openDescriptors(), before, 'no descriptor stays open');
  });

  const inside = (name: string): string => path.join(directory, name);
  const listen = (name = 'socket'): UnixListener => {
    const listener = UnixListener.open(inside(name));
    open.push(listener);
    return listener;
  };
  const connect = (name = 'socket'): UnixSocket | undefined => {
    const socket = UnixSocket.connect(inside(name));
    if (socket) open.push(socket);
    return socket;
  };
  const accepted = (listener: UnixListener): Promise<UnixSocket> =>
    new Promise((resolve) => {
      listener.onConnection((socket) => {
        open.push(socket);
        resolve(socket);
      });
    });
  const assertProblem = (action: () => unknown, message: string | RegExp): void => {
    assert.throws(action, (error: unknown) => {
      assert.ok(error instanceof HostProblem, String(error));
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    });
  };
  /** A socket file whose process has ended. */
  const leftover = (): void => {
    const script =
      `require("net").createServer().listen(${JSON.stringify(inside('socket'))},` +
      ' () => process.kill(process.pid, "SIGKILL"))';
    assert.throws(() => execFileSync(process.execPath, ['-e', script], { stdio: 'ignore' }));
    assert.ok(fs.lstatSync(inside('socket')).isSocket());
  };

  it('[utest->req~host.socket-private~1] only the owner may connect', () => {
    listen();
    assert.equal(fs.lstatSync(inside('socket')).mode & 0o777, 0o600);
  });

  it('[utest->req~host.socket-private~1] a directory that is missing is made for the owner only', () => {
    listen('a/b/socket');
    assert.equal(fs.statSync(inside('a')).mode & 0o777, 0o700);
    assert.equal(fs.statSync(inside('a/b')).mode & 0o777, 0o700);
  });

  it('[utest->req~host.socket-private~1] a connection is told, with who it is from', async () => {
    const listener = listen();
    const connection = accepted(listener);
    const client = connect()!;
    const server = await connection;
    assert.deepEqual(server.peer(), { pid: process.pid, uid: process.getuid!() });
    const bytes = new Uint8Array(5);
    assert.equal(client.send(Buffer.from('hello'), 5), 5);
    assert.equal(server.receive(bytes, 5, []), 5);
    assert.equal(Buffer.from(bytes).toString(), 'hello');
  });

  it('[utest->req~host.socket-private~1] several connections are told one by one', async () => {
    const listener = listen();
    let count = 0;
    listener.onConnection((socket) => {
      open.push(socket);
      count++;
    });
    for (let n = 0; n < 3; n++) connect();
    while (count < 3) await new Promise(setImmediate);
    assert.equal(count, 3);
  });

  it('[utest->req~host.socket-leftover~1] what a dead process left is replaced', () => {
    leftover();
    assert.equal(connect(), undefined);
    listen();
    assert.ok(connect());
  });

  it('[utest->req~host.socket-leftover~1] a path that somebody listens at is refused', () => {
    listen();
    assertProblem(
      () => UnixListener.open(inside('socket')),
      `${inside('socket')} is in use by a running process`,
    );
    assert.ok(connect(), 'the other one still listens');
  });

  it('[utest->req~host.socket-leftover~1] a path is in use also while nobody accepts there', () => {
    listen();
    let filled = 0;
    while (filled < 1000 && connect()) filled++;
    assert.ok(filled < 1000);
    assertProblem(() => UnixListener.open(inside('socket')), /in use by a running process$/);
  });

  it('[utest->req~host.socket-leftover~1] a file that is no socket is refused and left alone', () => {
    fs.writeFileSync(inside('socket'), 'precious');
    assertProblem(
      () => UnixListener.open(inside('socket')),
      `${inside('socket')} exists and is not a socket`,
    );
    assert.equal(connect(), undefined);
    assert.equal(fs.readFileSync(inside('socket'), 'utf8'), 'precious');
  });

  it('[utest->req~host.socket-leftover~1] closing removes the file, and a second closing nothing', () => {
    const listener = listen();
    listener.close();
    assert.ok(!fs.existsSync(inside('socket')));
    listen();
    listener.close();
    assert.ok(fs.existsSync(inside('socket')));
  });

  it('[utest->req~host.socket-leftover~1] closing leaves a file that somebody else put there', () => {
    const listener = listen();
    fs.unlinkSync(inside('socket'));
    fs.writeFileSync(inside('socket'), 'new');
    listener.close();
    assert.equal(fs.readFileSync(inside('socket'), 'utf8'), 'new');
  });

  it('[utest->req~host.socket-leftover~1] a path of 107 bytes is the longest', () => {
    const longest = 'x'.repeat(107 - directory.length - 1);
    listen(longest);
    assert.ok(connect(longest));
    const longer = inside(`${longest}x`);
    const message = `${longer}: 108 bytes; the path of a socket has at most 107`;
    assertProblem(() => UnixListener.open(longer), message);
    assertProblem(() => UnixSocket.connect(longer), message);
  });

  it('[utest->req~host.socket-leftover~1] a path that cannot be is refused with its name', () => {
    assertProblem(() => UnixListener.open(''), '"" is not the path of a socket');
    assertProblem(() => UnixListener.open('a\0b'), /is not the path of a socket$/);
    fs.writeFileSync(inside('file'), '');
    assertProblem(
      () => UnixListener.open(inside('file/socket')),
      `${inside('file/socket')} cannot be listened at: EEXIST`,
    );
    assertProblem(
      () => UnixListener.open('/proc/socket'),
      '/proc/socket cannot be listened at: ENOENT',
    );
    assertProblem(
      () => UnixSocket.connect(inside('file/socket')),
      `${inside('file/socket')} cannot be connected to: ENOTDIR`,
    );
  });

  it('[utest->req~host.socket-leftover~1] nobody at a path is no problem', () => {
    assert.equal(connect('nothing'), undefined);
  });

  it('[utest->req~host.socket-leftover~1] a socket of another type is refused and left alone', () => {
    const datagrams = socketOf(AF_UNIX, SOCK_DGRAM, 0) as number;
    try {
      assert.equal(bindSocket(datagrams, inside('socket')), 0);
      assertProblem(
        () => UnixListener.open(inside('socket')),
        `${inside('socket')} cannot be probed: EPROTOTYPE`,
      );
      assertProblem(
        () => UnixSocket.connect(inside('socket')),
        `${inside('socket')} cannot be connected to: EPROTOTYPE`,
      );
      assert.ok(fs.lstatSync(inside('socket')).isSocket());
    } finally {
      closeDescriptor(datagrams);
    }
  });

  it('[utest->req~host.socket-private~1] a listener that is closed at a connection tells no other one', async () => {
    const listener = listen();
    let told = 0;
    listener.onConnection((socket) => {
      told++;
      open.push(socket);
      listener.close();
    });
    for (let n = 0; n < 3; n++) assert.ok(connect());
    while (told === 0) await new Promise(setImmediate);
    for (let n = 0; n < 5; n++) await new Promise(setImmediate);
    assert.equal(told, 1);
    assert.equal(connect(), undefined, 'nobody listens there any more');
  });
});
