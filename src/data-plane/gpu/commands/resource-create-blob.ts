/** RESOURCE_CREATE_BLOB: guest memory that is shown as it is, without a transfer (5.7.6.8). */
import { GpuBlobMem, GpuCreateBlob, GpuHeader, GpuResponse } from '../../../wire/virtio-gpu.ts';
import { EntryReader } from '../entry-reader.ts';
import type { GpuDevice } from '../gpu-device.ts';
import type { GpuRequest } from '../gpu-request.ts';
import { GOES_ON, type GpuCommand } from './command.ts';
import type { Resource } from '../resource.ts';

/** Positions in a blob stay exact 32-bit numbers. */
const BLOB_BYTES_MAX = 0x7fffffff;

export class ResourceCreateBlob implements GpuCommand {
  readonly bytes = GpuCreateBlob.SIZE;
  readonly answerBytes = GpuHeader.SIZE;
  private readonly device: GpuDevice;
  private readonly entries: EntryReader;
  private created: Resource | undefined;

  constructor(device: GpuDevice) {
    this.device = device;
    this.entries = new EntryReader(device.resources.backing);
  }

  get available(): boolean {
    return this.device.hasBlob;
  }

  get movedBytes(): number {
    return this.entries.movedBytes;
  }

  begin(request: GpuRequest): number {
    const { resources } = this.device;
    const id = request.word(GpuCreateBlob.RESOURCE_ID);
    const bytes = request.number(GpuCreateBlob.BLOB_SIZE);
    if (id === 0 || resources.find(id)) return GpuResponse.ERR_INVALID_RESOURCE_ID;
    // Without 3D there is no other memory than the guest's.
    const fits = request.word(GpuCreateBlob.BLOB_SIZE + 4) === 0 && bytes <= BLOB_BYTES_MAX;
    if (request.word(GpuCreateBlob.BLOB_MEM) !== GpuBlobMem.GUEST || bytes === 0 || !fits) {
      return GpuResponse.ERR_INVALID_PARAMETER;
    }
    this.created = resources.createBlob(id, bytes);
    if (!this.created) return GpuResponse.ERR_OUT_OF_MEMORY;
    const count = request.number(GpuCreateBlob.NR_ENTRIES);
    return this.judged(this.entries.begin(request, this.created, GpuCreateBlob.SIZE, count));
  }

  advance(request: GpuRequest, bytesMax: number): number {
    return this.judged(this.entries.advance(request, bytesMax));
  }

  abandon(): void {
    this.device.resources.remove(this.created!);
  }

  /** A blob exists with all of its memory, or not at all. */
  private judged(answer: number): number {
    const { resources } = this.device;
    const created = this.created!;
    if (answer === GOES_ON) return GOES_ON;
    const complete = answer === GpuResponse.OK_NODATA;
    if (complete && resources.backing.reaches(created, created.blobBytes)) return answer;
    resources.remove(created);
    return complete ? GpuResponse.ERR_INVALID_PARAMETER : answer;
  }
}
