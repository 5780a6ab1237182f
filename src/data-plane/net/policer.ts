/** Packets and bytes of one route in one major frame (802.1Qci flow meter without a burst). */

// [impl->req~net.rate~1]
export class Policer {
  private packets = 0;
  private bytes = 0;

  private readonly packetsMax: number;
  private readonly bytesMax: number;

  constructor(packetsMax: number, bytesMax: number) {
    this.packetsMax = packetsMax;
    this.bytesMax = bytesMax;
  }

  majorFrameBegins(): void {
    this.packets = 0;
    this.bytes = 0;
  }

  admits(bytes: number): boolean {
    return this.packets < this.packetsMax && bytes <= this.bytesMax - this.bytes;
  }

  /** Whether waiting for the next major frame can help at all. */
  fitsAnEmptyFrame(bytes: number): boolean {
    return this.packetsMax > 0 && bytes <= this.bytesMax;
  }

  spend(bytes: number): void {
    this.packets++;
    this.bytes += bytes;
  }
}
