/** User-mode Linux: a kernel that is itself the front-end. */
import {
  hasNoGpu,
  neverAccepted,
  offers,
  pathsWith,
  ringsTooSmall,
  unsealedRefused,
  type Attachment,
  type Client,
} from './attachment.ts';
import { command } from './shell.ts';

const CLIENT = 'user-mode Linux';
const RING_ENTRIES = 256;
/** Device id of a network device (VIRTIO 5). */
const NET = 1;
const NEVER = ['VIRTIO_F_IN_ORDER', 'VIRTIO_F_RING_RESET', 'VIRTIO_NET_F_CTRL_RX_EXTRA'];

/** It connects once, when it starts, and restores the base of each ring as 0. */
function refusals(attachment: Attachment): string[] {
  const { frontEndListens, devices } = attachment;
  return [
    ...hasNoGpu(attachment, CLIENT),
    ...(frontEndListens
      ? [`${CLIENT} connects, it cannot listen: "socketMode" must be "listen", not "connect"`]
      : []),
    ...unsealedRefused(attachment, CLIENT),
    ...devices
      .filter((device) => offers(device, 'VIRTIO_F_RING_PACKED'))
      .map(
        ({ id }) =>
          `${id} offers VIRTIO_F_RING_PACKED, and ${CLIENT} starts packed rings with a wrong ` +
          'base (0, where both wrap counters must be 1): do not offer it',
      ),
    ...ringsTooSmall(devices, CLIENT, RING_ENTRIES),
    ...neverAccepted(devices, CLIENT, NEVER),
    ...pathsWith(attachment, CLIENT, /[\s:"]/),
  ];
}

// [impl->req~cli.attach~1]
export const UML: Client = {
  refusals,
  lines: ({ memoryMiB, devices }) =>
    command([
      // Its memory is a file, which counts as shared memory only on a tmpfs.
      ['TMPDIR=/dev/shm', 'linux.uml', `mem=${memoryMiB}M`],
      ['con=null', 'con0=fd:0,fd:1', 'rootfstype=hostfs', 'rootflags=/', 'ro'],
      ...devices.map(({ socket }) => [`virtio_uml.device=${socket}:${NET}`]),
      ['init=INIT'],
    ]),
};
