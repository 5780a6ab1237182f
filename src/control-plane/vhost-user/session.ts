/** What one front-end has negotiated and set up, from its connection to its end. */
import { Fault, type FaultCode } from '../../base/fault.ts';
import { CommandKind, CommandWord } from '../../channel/command-channel.ts';
import type { DescriptorNotifier } from '../../host/descriptor-notifier.ts';
import { UnixSocket } from '../../host/unix-socket.ts';
import type { PlanDevice } from '../../schedule/gateway-plan.ts';
import { bitsOf, type FeatureBits } from '../../wire/features.ts';
import { DeviceStatus } from '../../wire/virtio.ts';
import {
  BackendRequest,
  ProtocolFeature,
  VHOST_USER_F_PROTOCOL_FEATURES,
  VhostFlag,
  VhostHeader,
} from '../../wire/vhost-user.ts';
import type { DataPlaneLink } from '../data-plane-link.ts';
import { negotiate } from '../features/feature-sets.ts';
import type { DeviceConfiguration } from '../device-configuration.ts';
import { mapRegions, MemoryTable, type RegionRequest, type TableRegion } from './memory-table.ts';
import { GpuChannel } from './gpu-channel.ts';
import type { PartitionMemory } from './partition-memory.ts';
import { RingBank } from './ring-bank.ts';
import type { ScanoutSource } from './scanout-feed.ts';

export interface SessionParts {
  readonly plan: PlanDevice;
  readonly link: DataPlaneLink;
  readonly words: Int32Array;
  /** Where the data plane reads the table of memory regions. */
  readonly regionsAt: number;
  readonly memory: PartitionMemory;
  readonly notifier: DescriptorNotifier;
  readonly config: DeviceConfiguration;
  /** What a GPU shows; empty for every other device. */
  readonly scanouts: readonly ScanoutSource[];
  readonly onFault: (fault: FaultCode, queue: number, detail: string) => void;
  /** The first pair runs, or does not any more. */
  readonly onReady: (ready: boolean) => void;
  /** What went wrong with the front-end, for a bounded log. */
  readonly complain: (line: string) => void;
}

/** Features that a front-end may keep to itself: it does without the device what they say. */
const FRONT_END_OWN = [
  'VIRTIO_NET_F_MAC',
  'VIRTIO_NET_F_STATUS',
  'VIRTIO_NET_F_CTRL_VQ',
  'VIRTIO_NET_F_CTRL_RX',
  'VIRTIO_NET_F_CTRL_RX_EXTRA',
  'VIRTIO_NET_F_CTRL_VLAN',
  'VIRTIO_NET_F_CTRL_GUEST_OFFLOADS',
  'VIRTIO_NET_F_GUEST_ANNOUNCE',
  'VIRTIO_F_RING_RESET',
];
const OWN_BITS = bitsOf('virtio-net', FRONT_END_OWN);
/**
 * Front-ends with a GPU offer this to their guests whatever the back-end says, and acknowledge it.
 * They reset a ring by stopping and starting it, so that nothing is to be done for it.
 */
const RING_RESET = bitsOf('virtio-gpu', ['VIRTIO_F_RING_RESET']);
const PROTOCOL_FEATURES_BIT = 1 << VHOST_USER_F_PROTOCOL_FEATURES;

export class Session {
  readonly parts: SessionParts;
  readonly rings: RingBank;
  owned = false;
  features: FeatureBits = { low: 0, high: 0 };
  featuresSet = false;
  protocolFeatures = 0;
  status = 0;
  /** The front-end handed a record of a former life over: rings go on at their used index. */
  resumed = false;
  private table = new MemoryTable([]);
  private channel: UnixSocket | undefined;
  private ready = false;
  private display: GpuChannel | undefined;

  constructor(parts: SessionParts) {
    this.parts = parts;
    this.rings = new RingBank({
      plan: parts.plan,
      link: parts.link,
      features: () => this.features,
      table: () => this.table,
      words: parts.words,
      notifier: parts.notifier,
      resumed: () => this.resumed,
    });
  }

  /** What the device offers to this front-end, with the bit for protocol features. */
  get offered(): FeatureBits {
    const { low, high } = this.parts.plan.offered;
    return { low: (low | PROTOCOL_FEATURES_BIT) >>> 0, high };
  }

  hasProtocol(feature: number): boolean {
    return (this.protocolFeatures & (1 << feature)) !== 0;
  }

  get regions(): readonly TableRegion[] {
    return this.table.regions;
  }

  /** SET_FEATURES: what is wrong with the set, or nothing. */
  // [impl->req~vhost.features~1]
  async acceptFeatures(wanted: FeatureBits): Promise<string> {
    const set = this.withoutFrontEnds(wanted);
    const same = set.low === this.features.low && set.high === this.features.high;
    const problem = this.featuresSet && same ? '' : await this.negotiateSet(set);
    // Without protocol features there is no SET_VRING_ENABLE: rings need not be enabled.
    if (!problem && (wanted.low & PROTOCOL_FEATURES_BIT) === 0) await this.rings.enableAll();
    if (!problem) this.showReady();
    return problem;
  }

  private async negotiateSet(set: FeatureBits): Promise<string> {
    if (this.rings.anyServed) return 'other features while a ring is being served';
    const { plan, onFault } = this.parts;
    const judged = negotiate(plan.type, plan.offered, plan.required, this.withOwn(set));
    if (judged.outcome !== 'accepted') {
      const refusedSet = judged.outcome === 'refused';
      onFault(
        refusedSet ? Fault.FeatureSetRefused : Fault.RequiredFeatureMissing,
        -1,
        judged.reason,
      );
      return judged.reason;
    }
    await this.rings.stopAll();
    this.features = set;
    this.featuresSet = true;
    return '';
  }

  /** Without the bits that are no feature of this device, as far as front-ends may set them. */
  // [impl->req~vhost.gpu-features~1]
  private withoutFrontEnds({ low, high }: FeatureBits): FeatureBits {
    const { type, offered } = this.parts.plan;
    const own = type === 'virtio-gpu' ? RING_RESET.high & ~offered.high : 0;
    return { low: (low & ~PROTOCOL_FEATURES_BIT) >>> 0, high: (high & ~own) >>> 0 };
  }

  /** The set as the guest sees it: with what the front-end does by itself. */
  private withOwn({ low, high }: FeatureBits): FeatureBits {
    const { offered, type } = this.parts.plan;
    if (type !== 'virtio-net') return { low, high };
    return {
      low: (low | (offered.low & OWN_BITS.low)) >>> 0,
      high: (high | (offered.high & OWN_BITS.high)) >>> 0,
    };
  }

  /**
   * Puts other regions into force, all of them or none: the new ones are mapped beside the old, one
   * command of the data plane changes over, then the old ones go.
   */
  // [impl->req~vhost.memory-table~1]
  async replaceRegions(
    keep: readonly TableRegion[],
    added: readonly RegionRequest[],
  ): Promise<string> {
    const mapped = mapRegions(this.parts.memory, added);
    if (typeof mapped === 'string') return mapped;
    const before = this.table.regions;
    const next = new MemoryTable([...keep, ...mapped]);
    const lost = this.rings.lostIn(next);
    if (lost !== undefined) {
      this.release(mapped);
      return `ring ${lost} is being served and would no longer be inside the memory`;
    }
    this.table = next;
    await this.loadTable();
    await this.rings.relocate();
    this.release(before.filter((region) => !keep.includes(region)));
    return '';
  }

  private release(regions: readonly TableRegion[]): void {
    for (const region of regions) this.parts.memory.release(region.range);
  }

  private async loadTable(): Promise<void> {
    const { link, words, regionsAt, plan } = this.parts;
    this.table.writeTo(words, regionsAt);
    const number = link.post(CommandKind.SET_MEMORY, plan.index, [
      [CommandWord.REGIONS, this.table.regions.length],
    ]);
    await link.settled(number);
  }

  /** Tells the gateway when the first pair begins or ends to run. */
  showReady(): void {
    const { ready } = this.rings;
    if (ready === this.ready) return;
    this.ready = ready;
    this.parts.onReady(ready);
  }

  /** SET_STATUS 0, RESET_DEVICE: everything stops; where the rings stood is kept. */
  async resetDevice(): Promise<void> {
    this.status = 0;
    await this.rings.stopAll();
    this.showReady();
  }

  /** A ring broke: nothing is served until the driver starts anew. */
  needsReset(): void {
    this.status |= DeviceStatus.DEVICE_NEEDS_RESET;
    this.rings.needsReset();
    this.showReady();
  }

  /** The channel on which the back-end asks; it stays open, because some front-ends watch it. */
  openChannel(descriptor: number): void {
    this.channel?.close();
    this.channel = UnixSocket.fromDescriptor(descriptor);
  }

  /** The channel on which the guest's picture is shown, in place of the one before. */
  // [impl->req~vhost.gpu-channel~1]
  openDisplay(descriptor: number): void {
    const { scanouts, words, complain } = this.parts;
    this.display?.close();
    this.display = new GpuChannel({
      socket: UnixSocket.fromDescriptor(descriptor),
      sources: scanouts,
      words,
      onClosed: (reason) => {
        if (reason) complain(`the channel of its display was closed: ${reason}`);
      },
    });
  }

  tick(): void {
    this.display?.tick();
  }

  /** The device's configuration has changed, the link for instance. */
  // [impl->req~vhost.config~1]
  configChanged(): void {
    if (!this.channel || !this.hasProtocol(ProtocolFeature.CONFIG)) return;
    const bytes = new Uint8Array(VhostHeader.BYTES);
    const view = new DataView(bytes.buffer);
    view.setUint32(VhostHeader.REQUEST, BackendRequest.CONFIG_CHANGE_MSG, true);
    view.setUint32(VhostHeader.FLAGS, VhostFlag.VERSION, true);
    // A full channel is a front-end that does not listen: it will read the configuration later.
    this.channel.send(bytes, bytes.length);
  }

  /** The front-end has gone: nothing of it is used any more when this resolves. */
  // [impl->req~vhost.reconnect~1]
  async end(): Promise<void> {
    this.display?.close();
    await this.resetDevice();
    const { regions } = this.table;
    this.table = new MemoryTable([]);
    if (regions.length > 0) await this.loadTable();
    this.release(regions);
    this.rings.close();
    this.channel?.close();
    this.channel = undefined;
  }
}
