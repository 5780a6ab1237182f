/**
 * The commands of each queue (5.7.6). What is missing is answered with ERR_UNSPEC: capability sets
 * and everything else of 3D mode, which is not offered.
 */
import { GpuCommand as Type } from '../../../wire/virtio-gpu.ts';
import type { GpuDevice } from '../gpu-device.ts';
import type { PlaneUpdate } from '../plane-update.ts';
import type { GpuCommand } from './command.ts';
import { GetDisplayInfo } from './get-display-info.ts';
import { GetEdid } from './get-edid.ts';
import { MoveCursor } from './move-cursor.ts';
import { ResourceAssignUuid } from './resource-assign-uuid.ts';
import { ResourceAttachBacking } from './resource-attach-backing.ts';
import { ResourceCreate2d } from './resource-create-2d.ts';
import { ResourceCreateBlob } from './resource-create-blob.ts';
import { ResourceDetachBacking } from './resource-detach-backing.ts';
import { ResourceFlush } from './resource-flush.ts';
import { ResourceUnref } from './resource-unref.ts';
import { SetScanout } from './set-scanout.ts';
import { SetScanoutBlob } from './set-scanout-blob.ts';
import { TransferToHost2d } from './transfer-to-host-2d.ts';
import { UpdateCursor } from './update-cursor.ts';

// [impl->req~gpu.commands~1]
export function controlCommands(
  device: GpuDevice,
  update: PlaneUpdate,
): ReadonlyMap<number, GpuCommand> {
  return new Map<number, GpuCommand>([
    [Type.GET_DISPLAY_INFO, new GetDisplayInfo(device)],
    [Type.RESOURCE_CREATE_2D, new ResourceCreate2d(device)],
    [Type.RESOURCE_UNREF, new ResourceUnref(device, update)],
    [Type.SET_SCANOUT, new SetScanout(device, update)],
    [Type.RESOURCE_FLUSH, new ResourceFlush(device, update)],
    [Type.TRANSFER_TO_HOST_2D, new TransferToHost2d(device)],
    [Type.RESOURCE_ATTACH_BACKING, new ResourceAttachBacking(device)],
    [Type.RESOURCE_DETACH_BACKING, new ResourceDetachBacking(device)],
    [Type.GET_EDID, new GetEdid(device)],
    [Type.RESOURCE_ASSIGN_UUID, new ResourceAssignUuid(device)],
    [Type.RESOURCE_CREATE_BLOB, new ResourceCreateBlob(device)],
    [Type.SET_SCANOUT_BLOB, new SetScanoutBlob(device, update)],
  ]);
}

export function cursorCommands(device: GpuDevice): ReadonlyMap<number, GpuCommand> {
  return new Map<number, GpuCommand>([
    [Type.UPDATE_CURSOR, new UpdateCursor(device)],
    [Type.MOVE_CURSOR, new MoveCursor(device)],
  ]);
}
