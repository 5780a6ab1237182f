/** The closed list of mistakes a guest can make; a fault is a value, never an exception. */

/** What a fault does to the ring it happened on, before any configured reaction. */
export type FaultScope = 'request' | 'ring' | 'register' | 'partition';

interface FaultKind {
  readonly name: string;
  readonly scope: FaultScope;
  readonly meaning: string;
}

/**
 * Position in this list is the fault's code; code 0 is "no fault".
 * `request`: the chain is returned with used length 0 and service goes on.
 * `ring`: nothing can be returned safely, the ring stops. `register`: a refused register access.
 */
const KINDS = [
  { name: 'none', scope: 'request', meaning: 'no fault' },
  {
    name: 'avail-index-out-of-range',
    scope: 'ring',
    meaning: 'avail idx moved by more than the queue size (2.7.6)',
  },
  {
    name: 'head-out-of-range',
    scope: 'ring',
    meaning: 'an available ring entry is not below the queue size (2.7.6)',
  },
  {
    name: 'head-in-flight',
    scope: 'ring',
    meaning: 'a head or buffer id was made available again before it was used (2.7.13, 2.8.21.1)',
  },
  {
    name: 'descriptor-marks-invalid',
    scope: 'ring',
    meaning: 'AVAIL and USED mark a descriptor used that the device has not used (2.8.1)',
  },
  {
    name: 'descriptor-list-incomplete',
    scope: 'ring',
    meaning: 'a list is available before all of it is, or has no room in the ring (2.8.17)',
  },
  {
    name: 'next-out-of-range',
    scope: 'request',
    meaning: 'next is not below the table size (2.7.5)',
  },
  {
    name: 'descriptor-loop',
    scope: 'request',
    meaning: 'the chain visits a descriptor twice (2.7.5.2)',
  },
  {
    name: 'chain-too-long',
    scope: 'request',
    meaning: 'more descriptors than the configured limit (2.7.4.1)',
  },
  { name: 'chain-empty', scope: 'request', meaning: 'a chain without a single byte' },
  {
    name: 'chain-bytes-exceeded',
    scope: 'request',
    meaning: 'a buffer of 2^31 bytes or more (2.7.5.2 forbids over 2^32)',
  },
  {
    name: 'address-out-of-range',
    scope: 'request',
    meaning: 'a buffer is not inside one memory region of its partition',
  },
  {
    name: 'readable-after-writable',
    scope: 'request',
    meaning: 'a device-readable descriptor follows a device-writable one (2.7.4.2)',
  },
  {
    name: 'indirect-not-negotiated',
    scope: 'request',
    meaning: 'INDIRECT without VIRTIO_F_INDIRECT_DESC (2.7.5.3.1)',
  },
  {
    name: 'indirect-nested',
    scope: 'request',
    meaning: 'INDIRECT inside an indirect table (2.7.5.3.1)',
  },
  {
    name: 'indirect-with-next',
    scope: 'request',
    meaning: 'INDIRECT and NEXT in one descriptor (2.7.5.3.1)',
  },
  {
    name: 'indirect-length',
    scope: 'request',
    meaning: 'an indirect table of 0 bytes, not a multiple of 16, or too many entries',
  },
  {
    name: 'wrong-direction',
    scope: 'request',
    meaning: 'a buffer has no bytes in the direction of its queue, or some in the other',
  },
  {
    name: 'packet-too-short',
    scope: 'request',
    meaning: 'no room for the virtio-net header and an Ethernet header',
  },
  {
    name: 'packet-too-long',
    scope: 'request',
    meaning: 'longer than the MTU, or than 65,535 bytes behind the Ethernet header',
  },
  {
    name: 'net-header-invalid',
    scope: 'request',
    meaning: 'header against packet or negotiated features (5.1.9.2)',
  },
  {
    name: 'source-mac-spoofed',
    scope: 'request',
    meaning: 'source address is not the address of the device',
  },
  { name: 'vlan-stacked', scope: 'request', meaning: 'a VLAN tag behind a VLAN tag' },
  {
    name: 'receive-buffer-too-small',
    scope: 'request',
    meaning: 'a receive buffer below the size the driver must supply (5.1.9.3.1)',
  },
  {
    name: 'control-malformed',
    scope: 'request',
    meaning: 'a control command without its header or its ack byte (5.1.9.5)',
  },
  {
    name: 'feature-set-refused',
    scope: 'register',
    meaning: 'FEATURES_OK with a set that breaks a dependency or was not offered (2.2)',
  },
  {
    name: 'required-feature-missing',
    scope: 'partition',
    meaning: 'negotiation ended without a feature the configuration requires',
  },
  {
    name: 'register-access-invalid',
    scope: 'register',
    meaning: 'register access that its clause forbids (4.1)',
  },
  {
    name: 'queue-setup-invalid',
    scope: 'register',
    meaning: 'queue size, address, alignment or position is not valid (2.7, 2.8, 4.1.4.3)',
  },
  {
    name: 'register-flood',
    scope: 'register',
    meaning: 'more register accesses than the control budget',
  },
  {
    name: 'gpu-command-malformed',
    scope: 'request',
    meaning: 'a command shorter than its structure, or without room for its response (5.7.6)',
  },
  {
    name: 'gpu-command-refused',
    scope: 'request',
    meaning: 'an unknown or not negotiated command, or one with a wrong parameter (5.7.6.8)',
  },
  {
    name: 'gpu-quota-exceeded',
    scope: 'request',
    meaning: 'more resources, pixels or backing entries than the device has (5.7.6.8)',
  },
  {
    name: 'region-crc-mismatch',
    scope: 'partition',
    meaning: 'a protected region does not show what its owner drew, or nothing that is allowed',
  },
  {
    name: 'frozen-plane',
    scope: 'partition',
    meaning: 'the owner of a protected region did not update it in time',
  },
  { name: 'guest-died', scope: 'partition', meaning: 'the embedded guest ended or threw' },
] as const satisfies readonly FaultKind[];

export type FaultName = (typeof KINDS)[number]['name'];
export type FaultCode = number;

export const FAULT_NAMES: readonly FaultName[] = KINDS.map((kind) => kind.name);
export const FAULT_COUNT = KINDS.length;
export const NO_FAULT: FaultCode = 0;

function codeOf(name: FaultName): FaultCode {
  return FAULT_NAMES.indexOf(name);
}

/** Codes for the hot path, one constant per name. */
export const Fault = {
  AvailIndexOutOfRange: codeOf('avail-index-out-of-range'),
  HeadOutOfRange: codeOf('head-out-of-range'),
  HeadInFlight: codeOf('head-in-flight'),
  DescriptorMarksInvalid: codeOf('descriptor-marks-invalid'),
  DescriptorListIncomplete: codeOf('descriptor-list-incomplete'),
  NextOutOfRange: codeOf('next-out-of-range'),
  DescriptorLoop: codeOf('descriptor-loop'),
  ChainTooLong: codeOf('chain-too-long'),
  ChainEmpty: codeOf('chain-empty'),
  ChainBytesExceeded: codeOf('chain-bytes-exceeded'),
  AddressOutOfRange: codeOf('address-out-of-range'),
  ReadableAfterWritable: codeOf('readable-after-writable'),
  IndirectNotNegotiated: codeOf('indirect-not-negotiated'),
  IndirectNested: codeOf('indirect-nested'),
  IndirectWithNext: codeOf('indirect-with-next'),
  IndirectLength: codeOf('indirect-length'),
  WrongDirection: codeOf('wrong-direction'),
  PacketTooShort: codeOf('packet-too-short'),
  PacketTooLong: codeOf('packet-too-long'),
  NetHeaderInvalid: codeOf('net-header-invalid'),
  SourceMacSpoofed: codeOf('source-mac-spoofed'),
  VlanStacked: codeOf('vlan-stacked'),
  ReceiveBufferTooSmall: codeOf('receive-buffer-too-small'),
  ControlMalformed: codeOf('control-malformed'),
  FeatureSetRefused: codeOf('feature-set-refused'),
  RequiredFeatureMissing: codeOf('required-feature-missing'),
  RegisterAccessInvalid: codeOf('register-access-invalid'),
  QueueSetupInvalid: codeOf('queue-setup-invalid'),
  RegisterFlood: codeOf('register-flood'),
  GpuCommandMalformed: codeOf('gpu-command-malformed'),
  GpuCommandRefused: codeOf('gpu-command-refused'),
  GpuQuotaExceeded: codeOf('gpu-quota-exceeded'),
  RegionCrcMismatch: codeOf('region-crc-mismatch'),
  FrozenPlane: codeOf('frozen-plane'),
  GuestDied: codeOf('guest-died'),
} as const;

export function faultName(code: FaultCode): FaultName {
  return FAULT_NAMES[code] ?? 'none';
}

export function faultMeaning(code: FaultCode): string {
  return KINDS[code]?.meaning ?? '';
}

/** True when the ring stops by itself, whatever the reaction table says. */
export function stopsRing(code: FaultCode): boolean {
  return KINDS[code]?.scope === 'ring';
}
