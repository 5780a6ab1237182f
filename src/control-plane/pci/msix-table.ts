/** The MSI-X table of a function: entries that the driver masks and unmasks. */
import { Msix } from '../../wire/virtio-pci.ts';
import { readBytes } from './register-bytes.ts';

const MASKED = 1;

export class MsixTable {
  private readonly bytes: Uint8Array;

  constructor(vectors: number) {
    this.bytes = new Uint8Array(vectors * Msix.ENTRY_SIZE);
    for (let n = 0; n < vectors; n++) this.bytes[n * Msix.ENTRY_SIZE + Msix.ENTRY_CONTROL] = MASKED;
  }

  read(at: number, width: number): number {
    return readBytes(this.bytes, at, width, 0);
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
