/** GPU layouts against the field lists of VIRTIO 5.7 and of QEMU's description of the GPU channel. */
import { strict as assert } from 'node:assert';
import * as gpu from '../../../src/wire/virtio-gpu.ts';
import * as channel from '../../../src/wire/vhost-user-gpu.ts';
import { FrontendRequest } from '../../../src/wire/vhost-user.ts';
import { offsetsOf, type Field } from '../../support/packed-fields.ts';
import { Request } from '../../support/vhost/message.ts';

const HEADER: Field = ['_header', 24];
const u32 = (...names: string[]): Field[] => names.map((name) => [name, 4]);

/** Structures of VIRTIO 5.7: fields in the standard's order, and the size that compilers give. */
const STRUCTURES: readonly (readonly [
  name: string,
  table: object,
  bytes: number,
  fields: readonly Field[],
])[] = [
  [
    'virtio_gpu_ctrl_hdr',
    gpu.GpuHeader,
    24,
    [...u32('TYPE', 'FLAGS'), ['FENCE_ID', 8], ...u32('CTX_ID'), ['RING_IDX', 1], ['_padding', 3]],
  ],
  [
    'virtio_gpu_config',
    gpu.GpuConfig,
    16,
    u32('EVENTS_READ', 'EVENTS_CLEAR', 'NUM_SCANOUTS', 'NUM_CAPSETS'),
  ],
  ['virtio_gpu_rect', gpu.GpuRect, 16, u32('X', 'Y', 'WIDTH', 'HEIGHT')],
  [
    'virtio_gpu_resource_create_2d',
    gpu.GpuResourceCreate2d,
    40,
    [HEADER, ...u32('RESOURCE_ID', 'FORMAT', 'WIDTH', 'HEIGHT')],
  ],
  [
    'virtio_gpu_resource_unref, _detach_backing, _assign_uuid',
    gpu.GpuResourceOnly,
    32,
    [HEADER, ...u32('RESOURCE_ID', '_padding')],
  ],
  [
    'virtio_gpu_set_scanout',
    gpu.GpuSetScanout,
    48,
    [HEADER, ['RECT', 16], ...u32('SCANOUT_ID', 'RESOURCE_ID')],
  ],
  [
    'virtio_gpu_resource_flush',
    gpu.GpuResourceFlush,
    48,
    [HEADER, ['RECT', 16], ...u32('RESOURCE_ID', '_padding')],
  ],
  [
    'virtio_gpu_transfer_to_host_2d',
    gpu.GpuTransferToHost2d,
    56,
    [HEADER, ['RECT', 16], ['OFFSET', 8], ...u32('RESOURCE_ID', '_padding')],
  ],
  [
    'virtio_gpu_resource_attach_backing',
    gpu.GpuAttachBacking,
    32,
    [HEADER, ...u32('RESOURCE_ID', 'NR_ENTRIES')],
  ],
  ['virtio_gpu_mem_entry', gpu.GpuMemEntry, 16, [['ADDR', 8], ...u32('LENGTH', '_padding')]],
  [
    'virtio_gpu_get_capset_info',
    gpu.GpuGetCapsetInfo,
    32,
    [HEADER, ...u32('CAPSET_INDEX', '_padding')],
  ],
  [
    'virtio_gpu_resp_capset_info',
    gpu.GpuCapsetInfo,
    40,
    [HEADER, ...u32('CAPSET_ID', 'CAPSET_MAX_VERSION', 'CAPSET_MAX_SIZE', '_padding')],
  ],
  ['virtio_gpu_get_capset', gpu.GpuGetCapset, 32, [HEADER, ...u32('CAPSET_ID', 'CAPSET_VERSION')]],
  ['virtio_gpu_get_edid', gpu.GpuGetEdid, 32, [HEADER, ...u32('SCANOUT', '_padding')]],
  [
    'virtio_gpu_resource_create_blob',
    gpu.GpuCreateBlob,
    56,
    [
      HEADER,
      ...u32('RESOURCE_ID', 'BLOB_MEM', 'BLOB_FLAGS', 'NR_ENTRIES'),
      ['BLOB_ID', 8],
      ['BLOB_SIZE', 8],
    ],
  ],
  [
    'virtio_gpu_set_scanout_blob',
    gpu.GpuSetScanoutBlob,
    96,
    [
      HEADER,
      ['RECT', 16],
      ...u32('SCANOUT_ID', 'RESOURCE_ID', 'WIDTH', 'HEIGHT', 'FORMAT', '_padding'),
      ['STRIDES', 16],
      ['OFFSETS', 16],
    ],
  ],
  [
    'virtio_gpu_update_cursor',
    gpu.GpuUpdateCursor,
    56,
    [
      HEADER,
      ...u32('SCANOUT_ID', 'X', 'Y', '_padding', 'RESOURCE_ID', 'HOT_X', 'HOT_Y', '_padding'),
    ],
  ],
  ['virtio_gpu_display_one', gpu.GpuDisplayMode, 24, [['RECT', 16], ...u32('ENABLED', 'FLAGS')]],
  [
    'virtio_gpu_resp_display_info',
    gpu.GpuDisplayInfo,
    408,
    [HEADER, ['MODES', gpu.GPU_SCANOUTS_MAX * gpu.GpuDisplayMode.SIZE]],
  ],
  ['VhostUserGpuMsg', channel.GpuChannelHeader, 12, u32('REQUEST', 'FLAGS', 'PAYLOAD_BYTES')],
  ['VhostUserGpuCursorPos', channel.GpuChannelCursorPos, 12, u32('SCANOUT_ID', 'X', 'Y')],
  [
    'VhostUserGpuCursorUpdate',
    channel.GpuChannelCursorUpdate,
    16404,
    [...u32('SCANOUT_ID', 'X', 'Y', 'HOT_X', 'HOT_Y'), ['PIXELS', 16384]],
  ],
  ['VhostUserGpuScanout', channel.GpuChannelScanout, 12, u32('SCANOUT_ID', 'WIDTH', 'HEIGHT')],
  [
    'VhostUserGpuUpdate',
    channel.GpuChannelUpdate,
    20,
    u32('SCANOUT_ID', 'X', 'Y', 'WIDTH', 'HEIGHT'),
  ],
];

describe('wire: GPU layouts', () => {
  for (const [name, table, bytes, fields] of STRUCTURES) {
    it(`[utest->req~gpu.wire-exact~1] struct ${name} has ${bytes} bytes`, () => {
      assert.deepEqual(table, offsetsOf(fields));
      assert.equal(offsetsOf(fields).SIZE, bytes);
    });
  }

  it('[utest->req~gpu.wire-exact~1] struct virtio_gpu_resp_edid and _resp_resource_uuid carry bytes', () => {
    const { EDID_BYTES, ...edid } = gpu.GpuEdid;
    assert.deepEqual(edid, offsetsOf([HEADER, ...u32('EDID_SIZE', '_padding'), ['EDID', 1024]]));
    const { UUID_BYTES, ...uuid } = gpu.GpuResourceUuid;
    assert.deepEqual(uuid, offsetsOf([HEADER, ['UUID', 16]]));
    assert.deepEqual([EDID_BYTES, edid.SIZE, UUID_BYTES, uuid.SIZE], [1024, 1056, 16, 40]);
  });

  it('[utest->req~gpu.wire-exact~1] VhostUserGpuDMABUFScanout, and its longer form', () => {
    const { MODIFIER, SIZE_WITH_MODIFIER, ...scanout } = channel.GpuChannelDmabufScanout;
    const place = u32('SCANOUT_ID', 'X', 'Y', 'WIDTH', 'HEIGHT');
    const file = u32('FD_WIDTH', 'FD_HEIGHT', 'FD_STRIDE', 'FD_FLAGS', 'FD_FOURCC');
    assert.deepEqual(scanout, offsetsOf([...place, ...file]));
    assert.deepEqual([MODIFIER, SIZE_WITH_MODIFIER], [40, 48]);
  });

  it('[utest->req~gpu.wire-exact~1] 5.7.6.7: types count up in their groups in the order of the standard', () => {
    const commands = Object.values(gpu.GpuCommand);
    assert.deepEqual(commands, [...Array.from({ length: 14 }, (_, n) => 0x100 + n), 0x300, 0x301]);
    const good = Array.from({ length: 7 }, (_, n) => 0x1100 + n);
    const bad = Array.from({ length: 6 }, (_, n) => 0x1200 + n);
    assert.deepEqual(Object.values(gpu.GpuResponse), [...good, ...bad]);
    assert.deepEqual(
      [gpu.GpuCommand.GET_EDID, gpu.GpuResponse.OK_EDID, gpu.GpuResponse.ERR_INVALID_PARAMETER],
      [0x10a, 0x1104, 0x1205],
    );
    assert.deepEqual(gpu.GpuHeaderFlag, { FENCE: 1, INFO_RING_IDX: 2 });
  });

  it('[utest->req~gpu.wire-exact~1] 5.7.6.8: a format number belongs to its name', () => {
    assert.deepEqual(
      Object.entries(gpu.GpuFormat).map(([name, number]) => `${number} ${name.slice(0, 8)}`),
      [
        '1 B8G8R8A8',
        '2 B8G8R8X8',
        '3 A8R8G8B8',
        '4 X8R8G8B8',
        '67 R8G8B8A8',
        '68 X8B8G8R8',
        '121 A8B8G8R8',
        '134 R8G8B8X8',
      ],
    );
    for (const name of Object.keys(gpu.GpuFormat)) {
      const bits = [...name.matchAll(/[RGBAX](\d)/g)].map((match) => Number(match[1]));
      assert.equal(bits.reduce((sum, n) => sum + n, 0) / 8, gpu.GPU_PIXEL_BYTES, name);
    }
  });

  it('[utest->req~gpu.wire-exact~1] 5.7.4, 5.7.6: events, blob kinds and limits', () => {
    assert.deepEqual(gpu.GpuEvent, { DISPLAY: 1 });
    assert.deepEqual(gpu.GpuBlobMem, { GUEST: 1, HOST3D: 2, HOST3D_GUEST: 3 });
    assert.deepEqual(gpu.GpuBlobFlag, { USE_MAPPABLE: 1, USE_SHAREABLE: 2, USE_CROSS_DEVICE: 4 });
    assert.deepEqual([gpu.GPU_SCANOUTS_MAX, gpu.GPU_CURSOR_SIDE], [16, 64]);
    const cursorBytes = gpu.GPU_CURSOR_SIDE ** 2 * gpu.GPU_PIXEL_BYTES;
    const { PIXELS, SIZE } = channel.GpuChannelCursorUpdate;
    assert.equal(SIZE - PIXELS, cursorBytes);
  });

  it('[utest->req~gpu.wire-exact~1] messages of the GPU channel are numbered from 1', () => {
    assert.deepEqual(
      Object.values(channel.GpuChannelRequest),
      Array.from({ length: 12 }, (_, n) => n + 1),
    );
    const { SCANOUT, UPDATE, GET_EDID, DMABUF_SCANOUT2 } = channel.GpuChannelRequest;
    assert.deepEqual([SCANOUT, UPDATE, GET_EDID, DMABUF_SCANOUT2], [7, 8, 11, 12]);
    assert.deepEqual(channel.GpuChannelFeature, { EDID: 0, DMABUF2: 1 });
    const { GPU_CHANNEL_FEATURES_BYTES, GPU_CHANNEL_EDID_BYTES, GPU_CHANNEL_REPLY } = channel;
    assert.deepEqual(
      [GPU_CHANNEL_FEATURES_BYTES, GPU_CHANNEL_EDID_BYTES, GPU_CHANNEL_REPLY],
      [8, 4, 4],
    );
    assert.equal(FrontendRequest.GPU_SET_SOCKET, Request.GPU_SET_SOCKET);
  });
});
