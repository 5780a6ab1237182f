/** The generated file of feature sets, and the questions a configuration asks of the table. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  featureSetsSchema,
  includesFeature,
  isKnownFeature,
  unsupportedIn,
} from '../../../src/control-plane/features/feature-sets.ts';

const file = path.resolve(__dirname, '../../../../config/feature-sets.schema.json');

describe('feature sets', () => {
  it('[utest->req~neg.dependencies~1] config/feature-sets.schema.json is what the table generates', () => {
    assert.equal(readFileSync(file, 'utf8'), `${JSON.stringify(featureSetsSchema(), null, 2)}\n`);
  });

  it('[utest->req~neg.offered-only~1] what this gateway does not implement is named, under any of its names', () => {
    const offer = [
      'VIRTIO_F_VERSION_1',
      'VIRTIO_F_ORDER_PLATFORM',
      'VIRTIO_F_EVENT_IDX',
      'VIRTIO_NET_F_RSS',
    ];
    assert.deepEqual(unsupportedIn('virtio-net', offer), [
      'VIRTIO_F_ORDER_PLATFORM',
      'VIRTIO_NET_F_RSS',
    ]);
  });

  it('[utest->req~neg.offered-only~1] features and their second names are known, others are not', () => {
    assert.ok(isKnownFeature('virtio-net', 'VIRTIO_RING_F_EVENT_IDX'));
    assert.ok(isKnownFeature('virtio-net', 'VIRTIO_F_EVENT_IDX'));
    assert.ok(isKnownFeature('virtio-gpu', 'VIRTIO_GPU_F_EDID'));
    assert.ok(!isKnownFeature('virtio-net', 'VIRTIO_NET_F_NOSUCH'));
  });

  it('[utest->req~neg.required~1] a set includes a feature under either name', () => {
    assert.ok(includesFeature('virtio-net', ['VIRTIO_RING_F_EVENT_IDX'], 'VIRTIO_F_EVENT_IDX'));
    assert.ok(includesFeature('virtio-net', ['VIRTIO_F_EVENT_IDX'], 'VIRTIO_RING_F_EVENT_IDX'));
    assert.ok(!includesFeature('virtio-net', ['VIRTIO_F_EVENT_IDX'], 'VIRTIO_F_VERSION_1'));
  });
});
