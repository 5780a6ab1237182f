/** Paths of sockets, and when two of them are one. */
import { strict as assert } from 'node:assert';
import { normalPath, socketPathOf } from '../../../src/schedule/socket-path.ts';

describe('socket paths', () => {
  it('[utest->req~cfg.semantic~1] a socket is named after its device, in the directory of its partition', () => {
    assert.equal(socketPathOf('run/cluster', 'net0'), 'run/cluster/net0.sock');
  });

  for (const [path, normal] of [
    ['run/a/net0.sock', 'run/a/net0.sock'],
    ['./run//a/./net0.sock', 'run/a/net0.sock'],
    ['run/b/../a/net0.sock', 'run/a/net0.sock'],
    ['/run/a/', '/run/a'],
    ['/a/b/../../c', '/c'],
    ['../run/a', '../run/a'],
    ['../../a', '../../a'],
    ['a/../../b', '../b'],
    ['', ''],
  ] as const) {
    it(`[utest->req~cfg.semantic~1] "${path}" is "${normal}"`, () => {
      assert.equal(normalPath(path), normal);
    });
  }
});
