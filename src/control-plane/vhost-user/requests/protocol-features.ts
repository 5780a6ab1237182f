/** Protocol features, and the small requests that they admit. */
import type { PlanDevice } from '../../../schedule/gateway-plan.ts';
import { hasBit, bitOf } from '../../../wire/features.ts';
import { FrontendRequest, ProtocolFeature, MEMORY_SLOTS_MAX } from '../../../wire/vhost-user.ts';
import { DONE, refused, replyU64 } from '../message.ts';
import { forDevice, type Request } from './request.ts';

const bits = (features: readonly number[]) =>
  features.reduce<number>((set, feature) => set | (1 << feature), 0);

const { MQ, REPLY_ACK, BACKEND_REQ, CONFIG, RESET_DEVICE, CONFIGURE_MEM_SLOTS, STATUS } =
  ProtocolFeature;
/**
 * All that this back-end implements for each type of device. No dirty log: live migration is not a
 * use of this gateway. No record of buffers in flight for a GPU, whose resources end with it.
 */
const OFFERED: Readonly<Record<PlanDevice['type'], number>> = {
  'virtio-net': bits(Object.values(ProtocolFeature)),
  'virtio-gpu': bits([
    MQ,
    REPLY_ACK,
    BACKEND_REQ,
    CONFIG,
    RESET_DEVICE,
    CONFIGURE_MEM_SLOTS,
    STATUS,
  ]),
};
const MTU = bitOf('virtio-net', 'VIRTIO_NET_F_MTU');
/** 5.1.4.1. */
const MTU_MIN = 68;
const MAC_BYTES = 6;

/** In queue pairs for a network device, as front-ends count them. */
function queueNumber(plan: PlanDevice): number {
  return plan.type === 'virtio-net' ? plan.queuePairs : plan.queues.length;
}

// [impl->req~vhost.net-messages~1]
export const PROTOCOL_REQUESTS: readonly Request[] = [
  {
    id: FrontendRequest.GET_PROTOCOL_FEATURES,
    name: 'GET_PROTOCOL_FEATURES',
    bytes: 0,
    replies: true,
    carryOut: ({ parts }) => replyU64(OFFERED[parts.plan.type]),
  },
  {
    id: FrontendRequest.SET_PROTOCOL_FEATURES,
    name: 'SET_PROTOCOL_FEATURES',
    bytes: 8,
    carryOut: (session, message) => {
      const low = message.u32(0);
      if (message.u32(4) !== 0 || (low & ~OFFERED[session.parts.plan.type]) !== 0) {
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
    carryOut: forDevice('virtio-net', ({ mac }, _, message) => {
      const own = Array.from({ length: MAC_BYTES }, (_, n) => message.payload.getUint8(n));
      return own.every((octet, n) => octet === mac[n])
        ? DONE
        : refused('an address that is not the address of the device');
    }),
  },
  {
    id: FrontendRequest.NET_SET_MTU,
    name: 'NET_SET_MTU',
    bytes: 8,
    needs: ProtocolFeature.MTU,
    carryOut: forDevice('virtio-net', (plan, { features }, message) => {
      const mtu = message.u64(0);
      if (!hasBit(features, MTU) && !hasBit(plan.offered, MTU)) {
        return refused('VIRTIO_NET_F_MTU is not offered');
      }
      return mtu >= MTU_MIN && mtu <= plan.mtu
        ? DONE
        : refused(`an MTU of ${mtu}; the device has ${plan.mtu}`);
    }),
  },
];
