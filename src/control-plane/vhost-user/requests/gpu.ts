/** What only a front-end with a GPU says: where the picture of its guest is to be shown. */
import { descriptorKind, isStreamEnd } from '../../../host/descriptors.ts';
import { FrontendRequest } from '../../../wire/vhost-user.ts';
import { DONE, refused, type Message, type Outcome } from '../message.ts';
import type { Session } from '../session.ts';
import { forDevice, type Request } from './request.ts';

/** The channel is opened, and not used before the front-end goes on: it answers when it can. */
// [impl->req~vhost.gpu-channel~1]
function setSocket(session: Session, message: Message): Outcome {
  const descriptor = message.firstDescriptor;
  if (descriptorKind(descriptor) !== 'socket' || !isStreamEnd(descriptor)) {
    return refused('something else than an end of a unix stream socket');
  }
  session.openDisplay(message.takeDescriptor());
  return DONE;
}

export const GPU_REQUESTS: readonly Request[] = [
  {
    id: FrontendRequest.GPU_SET_SOCKET,
    name: 'GPU_SET_SOCKET',
    bytes: 0,
    descriptors: () => 1,
    carryOut: forDevice('virtio-gpu', (_, session, message) => setSocket(session, message)),
  },
];
