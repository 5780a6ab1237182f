/** `run --realtime` with a front-end: the memory it shares is locked while it is connected. */
import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { repositoryPath } from '../support/judged.ts';
import { until } from '../support/running-gateway.ts';
import { vhostConfig } from '../support/vhost/gateway-host.ts';
import { NetGuest } from '../support/vhost/net-guest.ts';
import { start } from '../support/vhost/sequences.ts';

const KIB = 1024;
const BYTES = 2 ** 19;
const CHOICES = [{ id: 'a' }, { id: 'b' }];

describe('run --realtime with a front-end', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'realtime-'));
  const socket = path.join(folder, 'a', 'net0.sock');
  let gateway: ChildProcess;
  let said = '';

  before(async () => {
    const file = path.join(folder, 'gateway.json');
    writeFileSync(file, JSON.stringify(vhostConfig(CHOICES, folder)));
    const words = [repositoryPath('build/src/main.js'), 'run', file, '--json', '--realtime'];
    // A session of its own, because its priority is raised.
    gateway = spawn(process.execPath, words, {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    gateway.stderr!.on('data', (text: Buffer) => {
      said += text.toString();
    });
    await until(() => said.includes('of the arena are') && existsSync(socket), 'the gateway runs');
  });

  after(async () => {
    const ended = once(gateway, 'exit');
    gateway.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });

  function lockedKib(): number {
    const status = readFileSync(`/proc/${gateway.pid}/status`, 'utf8');
    return Number(/^VmLck:\s*(\d+) kB$/m.exec(status)![1]);
  }

  const refusals = (): number => said.split('locking it is refused').length - 1;

  it('[utest->req~host.realtime~1] its memory is locked as long as it is connected, or a refusal is said once', async () => {
    const before = lockedKib();
    for (let life = 0; life < 2; life++) {
      const guest = await NetGuest.open(socket, { bytes: BYTES });
      await start('qemu', guest);
      const granted = refusals() === 0;
      assert.equal(lockedKib() - before, granted ? BYTES / KIB : 0);
      assert.ok(refusals() <= 1);
      guest.end();
      await until(() => lockedKib() === before, 'nothing more is locked than before');
    }
  });
});
