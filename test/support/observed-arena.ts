/**
 * Watches every access of the data plane to the arena: views become proxies, the kernel's functions
 * and Atomics are wrapped, and a listener hears of each access just after it happened. What the
 * listener then writes by way of `raw` is what a guest writes between two reads of the device.
 */
import { CRC32_TABLES_BYTES } from '../../src/base/crc32.ts';
import type { Arena } from '../../src/data-plane/arena.ts';

type View = Uint8Array | Uint16Array | Int32Array;

export interface Access {
  readonly kind: 'read' | 'write';
  /** Arena offset and length, in bytes. */
  readonly at: number;
  readonly bytes: number;
}

export type Listener = (access: Access) => void;

const VIEWS = ['u8', 'u16', 'i32'] as const;
const KERNEL = ['copy', 'join', 'sum16', 'pixels', 'blend', 'fill32', 'crc32'] as const;
const ATOMIC_READS = ['load'] as const;
const ATOMIC_WRITES = ['store'] as const;
const ATOMIC_BOTH = ['add', 'sub', 'and', 'or', 'xor', 'exchange'] as const;
const ATOMICS = [...ATOMIC_READS, ...ATOMIC_WRITES, ...ATOMIC_BOTH];

type Operation = (...operands: never[]) => unknown;

/** Runs `work` with the listener in place; everything is put back whatever happens. */
export function observing<T>(arena: Arena, listener: Listener, work: () => T): T {
  const raw = new Map<unknown, View>();
  const own = { ...arena };
  const atomics = Atomics as unknown as Record<string, Operation>;
  const atomicsBefore = Object.fromEntries(ATOMICS.map((name) => [name, atomics[name]!]));
  const views = Object.fromEntries(
    VIEWS.map((name) => {
      const view = proxyOf(arena[name], listener);
      raw.set(view, arena[name]);
      return [name, view];
    }),
  );
  const kernel = Object.fromEntries(KERNEL.map((name) => [name, heard(arena, name, listener)]));
  try {
    Object.assign(arena, views, kernel);
    for (const name of ATOMICS) atomics[name] = onView(name, atomicsBefore[name]!, raw, listener);
    return work();
  } finally {
    Object.assign(arena, own);
    Object.assign(atomics, atomicsBefore);
  }
}

function proxyOf(view: View, listener: Listener): View {
  const bytes = view.BYTES_PER_ELEMENT;
  return new Proxy(view, {
    get(target, property) {
      const index = Number(property);
      if (!Number.isInteger(index))
        throw new Error(`the data plane asks a view for ${String(property)}`);
      const value = target[index];
      listener({ kind: 'read', at: index * bytes, bytes });
      return value;
    },
    set(target, property, value) {
      target[Number(property)] = value as number;
      listener({ kind: 'write', at: Number(property) * bytes, bytes });
      return true;
    },
  });
}

/** What each function of the kernel reads and writes, by its operands. */
const RANGES: Record<(typeof KERNEL)[number], (operands: number[]) => Access[]> = {
  copy: ([to, from, length]) => [range('read', from!, length!), range('write', to!, length!)],
  join: ([to, head, headLength, rest, restLength]) => [
    range('read', head!, headLength!),
    range('read', rest!, restLength!),
    range('write', to!, headLength! + restLength!),
  ],
  sum16: ([at, length]) => [range('read', at!, length!)],
  pixels: ([to, from, count]) => [
    range('read', from!, 4 * count!),
    range('write', to!, 4 * count!),
  ],
  blend: ([to, from, count]) => [
    range('read', from!, 4 * count!),
    range('read', to!, 4 * count!),
    range('write', to!, 4 * count!),
  ],
  fill32: ([to, count]) => [range('write', to!, 4 * count!)],
  crc32: ([at, length, , tablesAt]) => [
    range('read', at!, length!),
    range('read', tablesAt!, CRC32_TABLES_BYTES),
  ],
};

function range(kind: Access['kind'], at: number, bytes: number): Access {
  return { kind, at: at >>> 0, bytes };
}

function heard(arena: Arena, name: (typeof KERNEL)[number], listener: Listener): Operation {
  const call = arena[name] as (...operands: number[]) => unknown;
  return (...operands: number[]) => {
    const result = call(...operands);
    for (const access of RANGES[name](operands)) if (access.bytes > 0) listener(access);
    return result;
  };
}

function onView(
  name: string,
  call: Operation,
  raw: Map<unknown, View>,
  listener: Listener,
): Operation {
  const run = call as (view: unknown, index: number, ...rest: number[]) => unknown;
  return ((view: unknown, index: number, ...rest: number[]) => {
    const target = raw.get(view);
    if (!target) return run(view, index, ...rest);
    const result = run(target, index, ...rest);
    const bytes = target.BYTES_PER_ELEMENT;
    const reads = !(ATOMIC_WRITES as readonly string[]).includes(name);
    const writes = !(ATOMIC_READS as readonly string[]).includes(name);
    if (reads) listener({ kind: 'read', at: index * bytes, bytes });
    if (writes) listener({ kind: 'write', at: index * bytes, bytes });
    return result;
  }) as Operation;
}
