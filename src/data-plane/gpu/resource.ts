/** One resource of a driver (5.7.6.8): its picture, or the guest memory that is one. */

export class Resource {
  /** 0 while nobody has it. */
  id = 0;
  /** 2D: one of GpuFormat; 0 for a blob. */
  format = 0;
  width = 0;
  height = 0;
  /** 2D: arena offset of its pixels, row by row without gaps. */
  pixelsAt = 0;
  /** 2D: first unit of its part of the pixel store. */
  firstUnit = 0;
  /** Blob: its size in bytes; 0 for a 2D resource. */
  blobBytes = 0;
  firstEntry = 0;
  entries = 0;
  entriesReserved = 0;
  /** One bit for each scanout that shows it. */
  scanouts = 0;
  /** 0 until the driver asked for a UUID. */
  uuid = 0;

  get isBlob(): boolean {
    return this.blobBytes > 0;
  }

  get hasBacking(): boolean {
    return this.entriesReserved > 0;
  }

  forget(): void {
    this.id = this.format = this.width = this.height = 0;
    this.pixelsAt = this.firstUnit = this.blobBytes = 0;
    this.firstEntry = this.entries = this.entriesReserved = 0;
    this.scanouts = this.uuid = 0;
  }
}
