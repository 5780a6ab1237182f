/** What a test does about clients that are not on this machine. */
import { strict as assert } from 'node:assert';
import type { ClientProcess } from '../../../src/cli/clients/client-process.ts';
import { clientsMissing, type Client } from '../../../src/cli/clients/missing-clients.ts';

const NOT_RUN = 'not run: run test/install-clients';

/** A suite that needs clients: without them it fails where CI is set, and elsewhere says that it did not run. */
export function describeWithClients(
  title: string,
  clients: readonly Client[],
  body: (suite: Mocha.Suite) => void,
): void {
  const missing = clientsMissing(clients);
  if (missing.length === 0) {
    describe(title, function () {
      body(this);
    });
    return;
  }
  describe(title, () => {
    it(`[utest->req~vhost.clients~1] needs ${missing.join(', ')} (${NOT_RUN})`, () => {
      if (process.env['CI'] === 'true')
        assert.fail(`${missing.join(', ')}: run test/install-clients`);
      console.log(`      ${NOT_RUN}`);
    });
  });
}

/** After a failed test: the last words of everybody who took part. */
export function showTails(
  ...clients: readonly ({ readonly process: ClientProcess } | undefined)[]
): void {
  for (const client of clients) if (client) console.log(client.process.tail());
}
