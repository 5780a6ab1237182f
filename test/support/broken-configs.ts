/** What is wrong with each file of config/invalid: where, and what the message names. */

export interface BrokenConfig {
  /** Where the mistake stands in the file, as line:column. */
  readonly at: string;
  /** The wrong value and what would be right, as the message must name them. */
  readonly says: readonly string[];
  /** A rule that cannot be kept when this one is broken, and where that shows. */
  readonly implies?: { readonly rule: string; readonly at: string };
}

export const BROKEN_CONFIGS: Readonly<Record<string, BrokenConfig>> = {
  'duplicate-partition-id': { at: '26:13', says: ['"cluster"', 'unique'] },
  'duplicate-device-id': { at: '47:17', says: ['"telematics.net0"', 'unique'] },
  'duplicate-mac': { at: '38:18', says: ['"52:54:00:00:00:01"', 'unique'] },
  'memory-over-arena': { at: '5:17', says: ['is 4096 MiB', '4095 MiB'] },
  'memory-below-queues': { at: '9:20', says: ['"cluster"', '2 MiB', 'not 1'] },
  'queue-size-not-power-of-two': { at: '21:24', says: ['100', 'power of two', '64'] },
  'descriptors-over-queue-size': { at: '26:29', says: ['65', '64'] },
  'feature-dependency-broken': {
    at: '23:22',
    says: ['VIRTIO_NET_F_CTRL_RX', 'requires VIRTIO_NET_F_CTRL_VQ'],
  },
  'feature-not-implemented': { at: '23:65', says: ['VIRTIO_F_ORDER_PLATFORM'] },
  'feature-required-not-offered': { at: '24:47', says: ['VIRTIO_NET_F_MTU', 'not offered'] },
  'queue-pairs-without-mq': { at: '20:25', says: ['2 queue pairs', 'VIRTIO_NET_F_MQ'] },
  'guest-parameter-wrong': {
    at: '13:31',
    says: ['"telematic.net0"', 'Did you mean "telematics.net0"?'],
  },
  'unsealed-above-qm': { at: '37:21', says: ['"telematics"', 'not "B"', '"refuse"'] },
  'socket-path-too-long': { at: '35:28', says: ['a-network-device.sock', '112 bytes', '107'] },
  'socket-shared': {
    at: '36:28',
    says: ['"telematics.net0"', '"cluster.net0"', 'run/guests/net0.sock', 'directory of its own'],
  },
  'duplicate-route-id': { at: '62:15', says: ['"cluster-to-telematics"', 'unique'] },
  'route-end-unknown': { at: '64:15', says: ['"cluster.net1"', 'Did you mean "cluster.net0"?'] },
  'route-self-loop': { at: '64:15', says: ['"telematics-to-cluster"', '"telematics.net0"'] },
  'route-parallel': { at: '71:7', says: ['"again"', '"cluster-to-telematics"', 'twice'] },
  'vlan-action-without-vlan': { at: '66:23', says: ['"insert"', '"vlan"'] },
  'route-quota-below-packet': { at: '67:31', says: ['1513', '"telematics.net0"', '1514'] },
  'receiver-limit-over-queue': { at: '70:27', says: ['64', 'below'] },
  'checksum-cost-missing': { at: '23:22', says: ['VIRTIO_NET_F_CSUM', '"netChecksum"'] },
  'duplicate-flow-id': { at: '108:13', says: ['"vehicle-status"', 'unique'] },
  'flow-end-unknown': {
    at: '102:16',
    says: ['"cluster-to-telematic"', 'Did you mean "cluster-to-telematics"?'],
  },
  'flow-not-served': {
    at: '94:15',
    says: ['no window serves "cluster.net0.transmitq0"'],
    implies: { rule: 'queue-not-served', at: '16:9' },
  },
  'duplicate-window-id': { at: '85:15', says: ['"cluster"', 'unique'] },
  'fraction-of-nanosecond': { at: '87:21', says: ['2000.0005', 'three decimals'] },
  'window-behind-major-frame': { at: '91:7', says: ['"control"', '10500', '10000'] },
  'windows-exceed-major-frame': {
    at: '76:16',
    says: ['11000', '10000'],
    implies: { rule: 'windows-overlap', at: '87:21' },
  },
  'windows-overlap': { at: '87:21', says: ['"telematics"', '999', '"cluster"', '1000'] },
  'windows-touch': { at: '77:7', says: ['"cluster"', '"cluster-again"', 'one window'] },
  'window-owner-wrong': { at: '94:22', says: ['belongs to no partition'] },
  'window-queue-unknown': {
    at: '84:22',
    says: ['"cluster"', '"net0.transmitq1"', 'Did you mean "net0.transmitq0"?'],
  },
  'window-serves-receiveq': { at: '84:22', says: ['"net0.receiveq0"'] },
  'window-queue-twice': { at: '84:22', says: ['"net0.transmitq0"', 'unique'] },
  'queue-not-served': { at: '35:9', says: ['"telematics.net0.transmitq0"'] },
  'quota-below-request': { at: '82:80', says: ['1517', '1518', '"net0.transmitq0"'] },
  'guarantees-over-window': { at: '83:81', says: ['9', '8'] },
  'control-window-missing': { at: '76:16', says: ['no control window', '40 µs'] },
  'reaction-fault-unknown': { at: '110:18', says: ['"guest-dead"', 'Did you mean "guest-died"?'] },
  'reaction-partition-unknown': {
    at: '110:45',
    says: ['"telematic"', 'Did you mean "telematics"?'],
  },
  'schema-unknown-key': { at: '4:35', says: ['"revisoin"', 'Did you mean "revision"?'] },
  'schema-missing-key': { at: '4:14', says: ['"gateway"', '"asil"'] },
  'schema-wrong-type': { at: '4:47', says: ['"revision"', '"1"', 'integer'] },
  'schema-fraction': { at: '4:47', says: ['"revision"', '1.5', 'integer'] },
  'schema-bad-enum': {
    at: '75:13',
    says: ['"idle"', '"slep"', 'sleep, spin', 'Did you mean "sleep"?'],
  },
  'schema-bad-pattern': { at: '19:18', says: ['"mac"', '"52-54-00-00-00-01"', '[0-9a-f]'] },
  'schema-below-minimum': { at: '21:24', says: ['"queueSize"', '2', '>= 4'] },
  'schema-above-maximum': { at: '20:25', says: ['"queuePairs"', '9', '<= 8'] },
  'schema-wrong-constant': { at: '3:20', says: ['"formatVersion"', '2', 'must be 1'] },
  'schema-repeated-item': { at: '23:22', says: ['"offer"', 'duplicate'] },
  'schema-too-few-items': { at: '15:18', says: ['"devices"', '[]', 'fewer than 1'] },
  'schema-too-many-items': { at: '72:16', says: ['"uplinks"', 'more than 0'] },
  'schema-too-long-string': { at: '26:15', says: ['more than 64'] },
  'schema-embedded-key-on-vhost-user': { at: '38:9', says: ['vhost-user guest', '"program"'] },
  'schema-vhost-user-key-on-embedded': { at: '33:57', says: ['embedded guest', '"socketMode"'] },
  'schema-vhost-user-key-missing': {
    at: '33:16',
    says: ['"guest"', '"unsealed"', 'vhost-user guest needs'],
  },
  'schema-embedded-program-missing': {
    at: '33:16',
    says: ['"guest"', '"program"', 'embedded guest needs'],
  },
  'schema-guest-type-unknown': {
    at: '33:26',
    says: ['"vhost-usr"', 'embedded, vhost-user', 'Did you mean "vhost-user"?'],
  },
  'syntax-truncated': { at: '114:1', says: ['not closed', '}'] },
  'syntax-duplicate-key': { at: '4:50', says: ['"revision"', 'duplicate'] },
  'syntax-proto-key': { at: '4:16', says: ['"__proto__"'] },
  'syntax-number-too-large': { at: '103:32', says: ['too large'] },
  'syntax-comment': { at: '3:23', says: ['comments'] },
  'syntax-trailing-comma': { at: '112:5', says: ['a value is expected'] },
  'syntax-missing-comma': { at: '4:3', says: ['comma'] },
  'syntax-missing-colon': { at: '4:46', says: ['colon'] },
  'syntax-not-a-number': { at: '103:51', says: ['not JSON'] },
  'syntax-unclosed-number': { at: '103:51', says: ['number'] },
  'syntax-bad-escape': { at: '4:24', says: ['escape'] },
  'syntax-control-character': { at: '4:24', says: ['character'] },
  'syntax-second-document': { at: '115:1', says: ['nothing may follow'] },
  'syntax-too-deep': { at: '105:81', says: ['64 levels'] },
};
