/** Who gets what from the dashboard's server: own names, own pages, known files, nothing to change. */
import { strict as assert } from 'node:assert';
import { Access, LIVE_PATH } from '../../../src/dashboard/access.ts';
import type { HttpRequest } from '../../../src/host/http-server.ts';

const PORT = 8480;
const OWN = `127.0.0.1:${PORT}`;
const access = new Access(PORT);
const assets = new Map([['/', { type: 'text/html', bytes: Uint8Array.of(1, 2, 3) }]]);
const request = (more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  path: '/',
  host: OWN,
  origin: undefined,
  ...more,
});
const status = (more: Partial<HttpRequest>) => access.answer(request(more), assets).status;
const socket = (more: Partial<HttpRequest>) =>
  access.refuseSocket(request({ path: LIVE_PATH, origin: `http://${OWN}`, ...more }))?.status;

describe('dashboard: access', () => {
  it('[utest->req~dash.read-only~1] a known file is served as it is, with its type', () => {
    const answer = access.answer(request(), assets);
    assert.deepEqual([answer.status, [...answer.body]], [200, [1, 2, 3]]);
    assert.equal(answer.headers['content-type'], 'text/html');
  });

  it('[utest->req~dash.read-only~1] nothing else exists, whatever the path looks like', () => {
    for (const path of [
      '/other',
      '',
      '//',
      '/../package.json',
      '/%2e%2e/package.json',
      '/__proto__',
    ])
      assert.equal(status({ path }), 404, path);
  });

  it('[utest->req~dash.read-only~1] only GET and HEAD are methods', () => {
    assert.equal(status({ method: 'HEAD' }), 200);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'CONNECT', ''])
      assert.equal(status({ method }), 405, method);
  });

  it('[utest->req~dash.same-origin~1] a request by another name is refused, be it for a file or a socket', () => {
    const strange = [undefined, '', 'evil.example', `evil.example:${PORT}`, '127.0.0.1', OWN + '1'];
    for (const host of [...strange, `127.0.0.1:${PORT + 1}`, `127.0.0.1.evil.example:${PORT}`]) {
      assert.equal(access.answer({ ...request(), host }, assets).status, 421, host);
      assert.equal(
        access.refuseSocket({ ...request(), host, origin: `http://${OWN}` })?.status,
        421,
      );
    }
    for (const host of [OWN, `localhost:${PORT}`, `LocalHost:${PORT}`])
      assert.equal(status({ host }), 200, host);
  });

  it('[utest->req~dash.same-origin~1] a socket is for pages of this server only', () => {
    assert.equal(socket({}), undefined);
    assert.equal(socket({ origin: `http://localhost:${PORT}` }), undefined);
    const strange = [
      undefined,
      'null',
      '',
      'http://evil.example',
      `https://${OWN}`,
      'http://127.0.0.1',
    ];
    for (const origin of [...strange, `http://127.0.0.1:${PORT + 1}`, `http://${OWN}.evil.example`])
      assert.equal(access.refuseSocket({ ...request({ path: LIVE_PATH }), origin })?.status, 403);
    assert.equal(socket({ path: '/other' }), 404);
  });

  it('[utest->req~dash.same-origin~1] every answer forbids foreign and inline scripts, and frames', () => {
    for (const more of [{}, { path: '/other' }, { method: 'POST' }, { host: 'evil.example' }]) {
      const { headers } = access.answer(request(more), assets);
      const policy = headers['content-security-policy']!.split('; ');
      for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"])
        assert.ok(policy.includes(rule), rule);
      assert.doesNotMatch(policy.join(), /unsafe|\*|https?:/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    }
  });
});
