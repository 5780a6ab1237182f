/** What a driver lets in (VIRTIO 5.1.9.5.1 to 5.1.9.5.3): modes, MAC table, VLAN table. */

export const MAC_TABLE_MAX = 64;
const BROADCAST_LOW = -1;
const BROADCAST_HIGH = 0xffff;
const GROUP_BIT = 1;
const VLAN_COUNT = 4096;

// [impl->req~net.receive-filter~1]
/** An address as two numbers: octets 0-3 little-endian as a signed pattern, octets 4-5. */
export class ReceiveFilter {
  promiscuous = false;
  allMulticast = false;
  allUnicast = false;
  noMulticast = false;
  noUnicast = false;
  noBroadcast = false;
  /** Without CTRL_RX the driver cannot say what it wants: it gets all that its routes bring. */
  filtering = false;
  vlanFiltering = false;

  private readonly tableLow = new Int32Array(2 * MAC_TABLE_MAX);
  private readonly tableHigh = new Uint16Array(2 * MAC_TABLE_MAX);
  private tableCount = 0;
  private readonly vlans = new Uint8Array(VLAN_COUNT);

  private readonly ownLow: number;
  private readonly ownHigh: number;

  constructor(ownLow: number, ownHigh: number) {
    this.ownLow = ownLow;
    this.ownHigh = ownHigh;
  }

  reset(): void {
    this.promiscuous = this.allMulticast = this.allUnicast = false;
    this.noMulticast = this.noUnicast = this.noBroadcast = false;
    this.filtering = this.vlanFiltering = false;
    this.tableCount = 0;
    this.vlans.fill(0);
  }

  clearTable(): void {
    this.tableCount = 0;
  }

  /** The control command has bounded the number of entries. */
  addAddress(low: number, high: number): void {
    this.tableLow[this.tableCount] = low;
    this.tableHigh[this.tableCount] = high;
    this.tableCount++;
  }

  setVlan(id: number, wanted: boolean): void {
    this.vlans[id] = wanted ? 1 : 0;
  }

  /** Whether a packet to this address, with this VLAN id (-1: untagged), is wanted. */
  accepts(low: number, high: number, vlan: number): boolean {
    if (vlan >= 0 && this.vlanFiltering && this.vlans[vlan] === 0) return false;
    if (!this.filtering || this.promiscuous) return true;
    if (low === BROADCAST_LOW && high === BROADCAST_HIGH) return !this.noBroadcast;
    if ((low & GROUP_BIT) !== 0) {
      return !this.noMulticast && (this.allMulticast || this.inTable(low, high));
    }
    if (this.noUnicast) return false;
    return (
      this.allUnicast || (low === this.ownLow && high === this.ownHigh) || this.inTable(low, high)
    );
  }

  private inTable(low: number, high: number): boolean {
    for (let n = 0; n < this.tableCount; n++) {
      if (this.tableLow[n] === low && this.tableHigh[n] === high) return true;
    }
    return false;
  }
}
