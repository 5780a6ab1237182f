/** Features, ownership and status: who drives the device, and with what. */
import { DeviceStatus } from '../../../wire/virtio.ts';
import { FrontendRequest, ProtocolFeature } from '../../../wire/vhost-user.ts';
import { DONE, refused, replyU64 } from '../message.ts';
import type { Request } from './request.ts';

const STATUS_MASK = 0xff;

// [impl->req~vhost.features~1]
export const FEATURE_REQUESTS: readonly Request[] = [
  {
    id: FrontendRequest.GET_FEATURES,
    name: 'GET_FEATURES',
    bytes: 0,
    replies: true,
    carryOut: ({ offered }) => replyU64(offered.low, offered.high),
  },
  {
    id: FrontendRequest.SET_FEATURES,
    name: 'SET_FEATURES',
    bytes: 8,
    carryOut: async (session, message) => {
      const wanted = { low: message.u32(0), high: message.u32(4) };
      const problem = await session.acceptFeatures(wanted);
      return problem ? refused(problem) : DONE;
    },
  },
  {
    id: FrontendRequest.SET_OWNER,
    name: 'SET_OWNER',
    bytes: 0,
    carryOut: (session) => {
      if (session.owned) return refused('the session has its owner already');
      session.owned = true;
      return DONE;
    },
  },
  {
    // Deprecated: what it meant was never agreed upon, and back-ends ignore it.
    id: FrontendRequest.RESET_OWNER,
    name: 'RESET_OWNER',
    bytes: 0,
    carryOut: () => DONE,
  },
  {
    id: FrontendRequest.RESET_DEVICE,
    name: 'RESET_DEVICE',
    bytes: 0,
    needs: ProtocolFeature.RESET_DEVICE,
    carryOut: async (session) => {
      for (const ring of session.rings.rings) await session.rings.enable(ring, false);
      await session.resetDevice();
      return DONE;
    },
  },
  {
    id: FrontendRequest.SET_STATUS,
    name: 'SET_STATUS',
    bytes: 8,
    needs: ProtocolFeature.STATUS,
    // [impl->req~vhost.status~1]
    carryOut: async (session, message) => {
      const status = message.u64(0);
      if (!(status <= STATUS_MASK)) return refused(`status ${status} is more than a byte`);
      if (status === 0) await session.resetDevice();
      // 2.2: FEATURES_OK stands only on a set that was accepted.
      session.status = session.featuresSet ? status : status & ~DeviceStatus.FEATURES_OK;
      return DONE;
    },
  },
  {
    id: FrontendRequest.GET_STATUS,
    name: 'GET_STATUS',
    bytes: 0,
    replies: true,
    needs: ProtocolFeature.STATUS,
    carryOut: ({ status }) => replyU64(status),
  },
];
