/** Descriptors of kinds that a back-end cannot signal without a risk, by name. */
import { closeDescriptor } from '../../../src/host/descriptors.ts';
import { cFunction } from '../../../src/host/native/libc.ts';
import { bindSocket, listenOn, openSocket } from '../../../src/host/native/socket.ts';

const AF_UNIX = 1;
const AF_INET = 2;
const STREAM = 1;
const DATAGRAM = 2;
const CLOCK_MONOTONIC = 1;

const socket = cFunction('int socket(int domain, int type, int protocol)');
const socketPair = cFunction('int socketpair(int domain, int type, int protocol, void *pair)');
const timer = cFunction('int timerfd_create(int clock, int flags)');
const epoll = cFunction('int epoll_create1(int flags)');
const pipe = cFunction('int pipe(void *pair)');

function pairOf(make: (pair: Buffer) => number): [number, number] {
  const pair = Buffer.alloc(8);
  make(pair);
  return [pair.readInt32LE(0), pair.readInt32LE(4)];
}

export const OTHER_NAMES = [
  'the end of a pipe',
  'a datagram socket',
  'a socket that listens',
  'a socket of the internet',
  'a timer',
  'an epoll',
] as const;

export class OtherDescriptors {
  private readonly pipe = pairOf(pipe);
  private readonly datagram = pairOf((pair) => socketPair(AF_UNIX, DATAGRAM, 0, pair));
  private readonly listening = openSocket();
  private readonly internet = socket(AF_INET, STREAM, 0);
  private readonly timer = timer(CLOCK_MONOTONIC, 0);
  private readonly epoll = epoll(0);

  constructor() {
    // A name of length 0: the kernel chooses one outside the file system.
    bindSocket(this.listening, '');
    listenOn(this.listening, 1);
  }

  get named(): Readonly<Record<(typeof OTHER_NAMES)[number], number>> {
    return {
      'the end of a pipe': this.pipe[1],
      'a datagram socket': this.datagram[0],
      'a socket that listens': this.listening,
      'a socket of the internet': this.internet,
      'a timer': this.timer,
      'an epoll': this.epoll,
    };
  }

  close(): void {
    const { listening, internet } = this;
    for (const each of [
      ...this.pipe,
      ...this.datagram,
      listening,
      internet,
      this.timer,
      this.epoll,
    ])
      closeDescriptor(each);
  }
}
