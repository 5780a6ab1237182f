/** The gateway as the side that connects: to front-ends that listen, whenever they do. */
import { strict as assert } from 'node:assert';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { judgeConfig } from '../../src/control-plane/config/load-config.ts';
import { UnixListener, type UnixSocket } from '../../src/host/unix-socket.ts';
import { RunningGateway, until } from '../support/running-gateway.ts';
import { Connection } from '../support/vhost/connection.ts';
import { FrontEnd } from '../support/vhost/front-end.ts';
import { vhostConfig } from '../support/vhost/gateway-host.ts';
import { PROTOCOL_FEATURES, Request } from '../support/vhost/message.ts';

describe('vhost-user front-ends that listen', () => {
  let folder: string;
  let running: RunningGateway;
  let listener: UnixListener | undefined;
  const frontEnds: FrontEnd[] = [];

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'vhost-connect-'));
    mkdirSync(path.join(folder, 'a'));
    const text = JSON.stringify(vhostConfig([{ id: 'a' }], folder));
    const connecting = text.replace('"socketMode":"listen"', '"socketMode":"connect"');
    const { config, problems } = judgeConfig('connect.json', connecting);
    assert.deepEqual(problems, []);
    running = new RunningGateway(config!);
  });

  afterEach(async () => {
    for (const frontEnd of frontEnds.splice(0)) frontEnd.close();
    await running.stop();
    listener?.close();
    listener = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  function listen(): UnixSocket[] {
    const accepted: UnixSocket[] = [];
    listener = UnixListener.open(path.join(folder, 'a/net0.sock'));
    listener.onConnection((socket) => accepted.push(socket));
    return accepted;
  }

  async function served(accepted: readonly UnixSocket[], n: number): Promise<FrontEnd> {
    await until(() => accepted.length > n, `connection ${n} of the gateway`);
    const frontEnd = new FrontEnd(new Connection(accepted[n]!));
    frontEnds.push(frontEnd);
    const features = await frontEnd.getU64(Request.GET_FEATURES);
    assert.equal(features & PROTOCOL_FEATURES, PROTOCOL_FEATURES);
    return frontEnd;
  }

  it('[utest->req~vhost.clients~1] a front-end that begins to listen later is found and served', async () => {
    await until(() => running.mode('a') === 'cold-start', 'a start without a front-end');
    const accepted = listen();
    await served(accepted, 0);
    assert.deepEqual(
      running.lines.filter((line) => line.startsWith('a.net0')),
      ['a.net0: a front-end connected'],
    );
  });

  it('[utest->req~vhost.reconnect~1] a front-end that ends its connection is connected to again, and only then', async () => {
    const accepted = listen();
    const first = await served(accepted, 0);
    first.close();
    await served(accepted, 1);
    assert.equal(accepted.length, 2);
  });

  it('[utest->req~vhost.reconnect~1] a gateway that stops connects to nobody any more', async () => {
    const accepted = listen();
    await served(accepted, 0);
    await running.stop();
    frontEnds.splice(0).forEach((frontEnd) => frontEnd.close());
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
    assert.equal(accepted.length, 1);
  });
});
