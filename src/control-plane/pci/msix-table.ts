/** The MSI-X table of a function: entries that the driver masks and unmasks. */
import { Msix } from '../../wire/virtio-pci.ts';

const MASKED = 1;

export class MsixTable {
  private readonly bytes: Uint8Array;

  constructor(vectors: number) {
    this.bytes = new Uint8Array(vectors * Msix.ENTRY_SIZE);
    for (let n = 0; n < vectors; n++) this.bytes[n * Msix.ENTRY_SIZE + Msix.ENTRY_CONTROL] = MASKED;
  }

  read(at: number, width: number): number {
    let value = 0;
    for (let n = width - 1; n >= 0; n--) value = value * 256 + (this.bytes[at + n] ?? 0);
    return value;
  }

  write(at: number, width: number, value: number): void {
    for (let n = 0; n < Math.min(width, 4) && at + n < this.bytes.length; n++) {
      this.bytes[at + n] = value >>> (8 * n);
    }
  }

  unmasked(vector: number): boolean {
    return (this.bytes[vector * Msix.ENTRY_SIZE + Msix.ENTRY_CONTROL]! & MASKED) === 0;
  }
}
