/** Where a command line wants its dashboard. */
import { strict as assert } from 'node:assert';
import { UsageError } from '../../../src/cli/arguments.ts';
import { dashboardPort } from '../../../src/cli/run-dashboard.ts';

describe('run: the port of the dashboard', () => {
  it('[utest->req~dash.served~1] none is named, one is, any will do, or there is no dashboard', () => {
    assert.equal(dashboardPort({}), 'default');
    assert.equal(dashboardPort({ 'dashboard-port': '8080' }), 8080);
    assert.equal(dashboardPort({ 'dashboard-port': '0' }), 0);
    assert.equal(dashboardPort({ 'no-dashboard': true }), 'none');
  });

  it('[utest->req~dash.served~1] what is no port is refused, and so is a port of no dashboard', () => {
    for (const word of ['', '-1', '65536', '1.5', 'http', '0x'])
      assert.throws(() => dashboardPort({ 'dashboard-port': word }), UsageError, word);
    assert.throws(
      () => dashboardPort({ 'dashboard-port': '80', 'no-dashboard': true }),
      UsageError,
    );
  });
});
