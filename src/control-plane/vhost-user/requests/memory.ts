/** The memory table as a whole, and region by region. */
import {
  FrontendRequest,
  MEMORY_SLOTS_MAX,
  ProtocolFeature,
  VhostRegion,
} from '../../../wire/vhost-user.ts';
import { DONE, refused, type Message, type Outcome } from '../message.ts';
import { regionProblem, type RegionRequest, type TableRegion } from '../memory-table.ts';
import type { Session } from '../session.ts';
import type { Request } from './request.ts';

const COUNT_BYTES = 8;

type Described = Omit<RegionRequest, 'descriptor'>;

function regionAt(message: Message, at: number): Described {
  return {
    guestPhysical: message.u64(at + VhostRegion.GUEST_PHYSICAL),
    size: message.u64(at + VhostRegion.SIZE),
    userAddress: message.u64(at + VhostRegion.USER_ADDRESS),
    fileOffset: message.u64(at + VhostRegion.FILE_OFFSET),
  };
}

async function replace(
  session: Session,
  keep: readonly TableRegion[],
  added: readonly RegionRequest[],
): Promise<Outcome> {
  const problem = await session.replaceRegions(keep, added);
  return problem ? refused(problem) : DONE;
}

/** A front-end may announce fewer regions than its message has room for. */
async function setTable(session: Session, message: Message): Promise<Outcome> {
  const count = message.u32(0);
  const room = (message.payload.byteLength - COUNT_BYTES) / VhostRegion.BYTES;
  if (count === 0 || count > room || message.u32(4) !== 0) {
    return refused(`a table that announces ${count} regions and has room for ${room}`);
  }
  const described = Array.from({ length: count }, (_, n) =>
    regionAt(message, COUNT_BYTES + n * VhostRegion.BYTES),
  );
  const problem = regionProblem(described);
  if (problem) return refused(problem);
  return replace(
    session,
    [],
    described.map((region) => ({ ...region, descriptor: message.takeDescriptor() })),
  );
}

async function addRegion(session: Session, message: Message): Promise<Outcome> {
  const region = regionAt(message, COUNT_BYTES);
  const { regions } = session;
  if (regions.length === MEMORY_SLOTS_MAX) return refused('all memory slots are taken');
  const problem = regionProblem([...regions, region]);
  if (problem) return refused(problem);
  return replace(session, regions, [{ ...region, descriptor: message.takeDescriptor() }]);
}

async function removeRegion(session: Session, message: Message): Promise<Outcome> {
  const named = regionAt(message, COUNT_BYTES);
  const same = (region: TableRegion) =>
    region.guestPhysical === named.guestPhysical &&
    region.size === named.size &&
    region.userAddress === named.userAddress;
  if (!session.regions.some(same)) return refused('a region that is not in the table');
  return replace(
    session,
    session.regions.filter((region) => !same(region)),
    [],
  );
}

// [impl->req~vhost.memory-table~1]
export const MEMORY_REQUESTS: readonly Request[] = [
  {
    id: FrontendRequest.SET_MEM_TABLE,
    name: 'SET_MEM_TABLE',
    bytes: { least: COUNT_BYTES, step: VhostRegion.BYTES },
    descriptors: (message) => Math.min(message.u32(0), MEMORY_SLOTS_MAX),
    carryOut: setTable,
  },
  {
    id: FrontendRequest.ADD_MEM_REG,
    name: 'ADD_MEM_REG',
    bytes: COUNT_BYTES + VhostRegion.BYTES,
    descriptors: () => 1,
    needs: ProtocolFeature.CONFIGURE_MEM_SLOTS,
    carryOut: addRegion,
  },
  {
    // Some front-ends send the descriptor along once more.
    id: FrontendRequest.REM_MEM_REG,
    name: 'REM_MEM_REG',
    bytes: COUNT_BYTES + VhostRegion.BYTES,
    descriptors: (message) => Math.min(message.descriptorCount, 1),
    needs: ProtocolFeature.CONFIGURE_MEM_SLOTS,
    carryOut: removeRegion,
  },
];
