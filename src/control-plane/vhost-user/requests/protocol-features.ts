/** Protocol features, and the small requests that they admit. */
import type { PlanDevice } from '../../../schedule/gateway-plan.ts';
import { hasBit, bitOf } from '../../../wire/features.ts';
import { FrontendRequest, ProtocolFeature, MEMORY_SLOTS_MAX } from '../../../wire/vhost-user.ts';
import { DONE, refused, replyU64, type Outcome } from '../message.ts';
import type { Request } from './request.ts';

/** All that this back-end implements. No dirty log: live migration is not a use of this gateway. */
const OFFERED = Object.values(ProtocolFeature).reduce<number>(
  (bits, feature) => bits | (1 << feature),
  0,
);
const MTU = bitOf('virtio-net', 'VIRTIO_NET_F_MTU');
/** 5.1.4.1. */
const MTU_MIN = 68;
const MAC_BYTES = 6;

/** In queue pairs for a network device, as front-ends count them. */
function queueNumber(plan: PlanDevice): number {
  return plan.type === 'virtio-net' ? plan.queuePairs : plan.queues.length;
}

function refusedForOther(type: string): Outcome {
  return refused(`a request for a network device; this is a ${type}`);
}

// [impl->req~vhost.net-messages~1]
export const PROTOCOL_REQUESTS: readonly Request[] = [
  {
    id: FrontendRequest.GET_PROTOCOL_FEATURES,
    name: 'GET_PROTOCOL_FEATURES',
    bytes: 0,
    replies: true,
    carryOut: () => replyU64(OFFERED),
  },
  {
    id: FrontendRequest.SET_PROTOCOL_FEATURES,
    name: 'SET_PROTOCOL_FEATURES',
    bytes: 8,
    carryOut: (session, message) => {
      const low = message.u32(0);
      if (message.u32(4) !== 0 || (low & ~OFFERED) !== 0) {
        return refused('a protocol feature that was not offered');
      }
      session.protocolFeatures = low;
      return DONE;
    },
  },
  {
    id: FrontendRequest.GET_QUEUE_NUM,
    name: 'GET_QUEUE_NUM',
    bytes: 0,
    replies: true,
    needs: ProtocolFeature.MQ,
    carryOut: ({ parts }) => replyU64(queueNumber(parts.plan)),
  },
  {
    id: FrontendRequest.GET_MAX_MEM_SLOTS,
    name: 'GET_MAX_MEM_SLOTS',
    bytes: 0,
    replies: true,
    needs: ProtocolFeature.CONFIGURE_MEM_SLOTS,
    carryOut: () => replyU64(MEMORY_SLOTS_MAX),
  },
  {
    id: FrontendRequest.SET_BACKEND_REQ_FD,
    name: 'SET_BACKEND_REQ_FD',
    bytes: 0,
    descriptors: () => 1,
    needs: ProtocolFeature.BACKEND_REQ,
    carryOut: (session, message) => {
      session.openChannel(message.takeDescriptor());
      return DONE;
    },
  },
  {
    // Routes are static: no table has to learn where the guest is now.
    id: FrontendRequest.SEND_RARP,
    name: 'SEND_RARP',
    bytes: 8,
    needs: ProtocolFeature.RARP,
    carryOut: ({ parts }, message) => {
      if (parts.plan.type !== 'virtio-net') return refusedForOther(parts.plan.type);
      const { mac } = parts.plan;
      const own = Array.from({ length: MAC_BYTES }, (_, n) => message.payload.getUint8(n));
      return own.every((octet, n) => octet === mac[n])
        ? DONE
        : refused('an address that is not the address of the device');
    },
  },
  {
    id: FrontendRequest.NET_SET_MTU,
    name: 'NET_SET_MTU',
    bytes: 8,
    needs: ProtocolFeature.MTU,
    carryOut: ({ parts, features }, message) => {
      if (parts.plan.type !== 'virtio-net') return refusedForOther(parts.plan.type);
      const mtu = message.u64(0);
      if (!hasBit(features, MTU) && !hasBit(parts.plan.offered, MTU)) {
        return refused('VIRTIO_NET_F_MTU is not offered');
      }
      return mtu >= MTU_MIN && mtu <= parts.plan.mtu
        ? DONE
        : refused(`an MTU of ${mtu}; the device has ${parts.plan.mtu}`);
    },
  },
];
