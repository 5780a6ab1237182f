/** Priority across sessions for what is measured: while it is measured, and no longer. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { favoured, favourSession } from '../../src/cli/clients/favour.ts';
import { ClientProcess } from '../../src/cli/clients/client-process.ts';
import { sessionNice, thisHost } from '../../src/host/host-view.ts';
import { hostDouble } from '../support/host-double.ts';

/** A host whose sessions compete as one. */
const UNGROUPED = hostDouble();
/** As where sessions are grouped, and only root may go first. */
const grouped = sessionNice(thisHost) !== undefined;
const may = grouped && process.getuid!() === 0;

function niceOf(pid: number): string {
  return /nice (-?\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, 'utf8'))![1]!;
}

describe('sessions that go first', () => {
  it('[utest->req~vhost.clients~1] this one does while the work is done, and not after it', async () => {
    const before = sessionNice(thisHost);
    const during = await favoured(() => Promise.resolve(sessionNice(thisHost)));
    assert.equal(during, may ? -20 : before);
    assert.equal(sessionNice(thisHost), before);
  });

  it('[utest->req~vhost.clients~1] nor after work that fails', async () => {
    const before = sessionNice(thisHost);
    await assert.rejects(
      favoured(() => Promise.reject(new Error('no luck'))),
      /^Error: no luck$/,
    );
    assert.equal(sessionNice(thisHost), before);
  });

  it('[utest->req~vhost.clients~1] that of a client does until it ends; one that has ended is no mistake', async () => {
    // A process group has a session of its own.
    const client = new ClientProcess('sleeper', '/bin/sleep', ['60']);
    favourSession(client.pid);
    if (grouped) assert.equal(niceOf(client.pid), may ? '-20' : '0');
    await client.kill();
    favourSession(client.pid);
  });

  it('[utest->req~vhost.clients~1] where sessions are not grouped nothing changes', async () => {
    const before = sessionNice(thisHost);
    const during = await favoured(() => Promise.resolve(sessionNice(thisHost)), UNGROUPED);
    favourSession(process.pid, UNGROUPED);
    assert.deepEqual([during, sessionNice(thisHost)], [before, before]);
  });

  it('[utest->req~vhost.clients~1] a session whose value is not to be had is left alone', async () => {
    const files = { '/proc/sys/kernel/sched_autogroup_enabled': '1' };
    const before = sessionNice(thisHost);
    const unknown = hostDouble({ files });
    assert.equal(await favoured(() => Promise.resolve(5), unknown), 5);
    assert.equal(sessionNice(thisHost), before);
  });
});
