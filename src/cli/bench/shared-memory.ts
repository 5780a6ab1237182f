/** Memory of front-ends in this process: a memory file for each, all seen through one view. */
import { ArenaMapping } from '../../host/arena-mapping.ts';
import { closeDescriptor, createMemoryFile } from '../../host/descriptors.ts';

/** Guest and user address of every front-end's memory: above 4 GiB, as an ordinary guest's is. */
export const MEMORY_BASE = 0x1_4000_0000;
const WASM_PAGE = 65_536;

export class View {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  private readonly mapping: ArenaMapping;
  private readonly bytesEach: number;
  private readonly memories: SharedMemory[] = [];

  constructor(memories: number, bytesEach: number) {
    const pages = (memories * bytesEach) / WASM_PAGE;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.u8 = new Uint8Array(memory.buffer);
    this.u16 = new Uint16Array(memory.buffer);
    this.i32 = new Int32Array(memory.buffer);
    this.mapping = new ArenaMapping(memory);
    this.bytesEach = bytesEach;
  }

  /** @throws Error when the host does not map it */
  memory(): SharedMemory {
    const sliceAt = this.memories.length * this.bytesEach;
    const descriptor = createMemoryFile('front-end', this.bytesEach, { seal: true });
    if (!this.mapping.map(descriptor, 0, this.bytesEach, sliceAt))
      throw new Error('the memory of a front-end cannot be mapped');
    const memory = new SharedMemory(this, descriptor, sliceAt, this.bytesEach);
    this.memories.push(memory);
    return memory;
  }

  /** The files of all memories; who has mapped them keeps them. */
  close(): void {
    for (const { descriptor } of this.memories) closeDescriptor(descriptor);
  }
}

/** What a back-end is given; rings and buffers are taken from it in order. */
export class SharedMemory {
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly descriptor: number;
  readonly bytes: number;
  private readonly sliceAt: number;
  private taken = 0;

  constructor(view: View, descriptor: number, sliceAt: number, bytes: number) {
    this.u16 = view.u16;
    this.i32 = view.i32;
    this.descriptor = descriptor;
    this.sliceAt = sliceAt;
    this.bytes = bytes;
  }

  /** The address of so many bytes. @throws Error when there are not so many left */
  allocate(bytes: number, align: number): number {
    const at = Math.ceil(this.taken / align) * align;
    if (at + bytes > this.bytes) throw new Error(`${this.bytes} bytes of memory are not enough`);
    this.taken = at + bytes;
    return MEMORY_BASE + at;
  }

  /** Everything is free again, for a front-end that comes back. */
  forget(): void {
    this.taken = 0;
  }

  /** Where an address is in the view. */
  at(address: number): number {
    return this.sliceAt + (address - MEMORY_BASE);
  }
}
