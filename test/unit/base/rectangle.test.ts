/** Rectangles against sets of points and numbers of any size. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { areasOutside, Rect, rectInside, type Area } from '../../../src/base/rectangle.ts';
import { seededRuns } from '../../support/seeded-runs.ts';

const SIDE = 12;
const small = fc.integer({ min: -3, max: SIDE });
const area: fc.Arbitrary<Area> = fc.record({
  x: small,
  y: small,
  width: fc.nat(SIDE),
  height: fc.nat(SIDE),
});

/** Everything near a border of 32 bits, and small numbers. */
const u32 = fc.oneof(
  fc.nat(40),
  fc.constantFrom(2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 2, 2 ** 32 - 1),
  fc.nat(2 ** 32 - 1),
  fc.nat(40).map((n) => 2 ** 32 - 1 - n),
);
const side = fc.oneof(
  fc.nat(40),
  fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  fc.constant(2 ** 31 - 1),
);

/** The points of an area, as text. */
function points({ x, y, width, height }: Area): string[] {
  return Array.from({ length: width * height }, (_, n) => {
    const [right, down] = [n % width, Math.floor(n / width)];
    return `${x + right} ${y + down}`;
  });
}

function rect({ x, y, width, height }: Area): Rect {
  const made = new Rect();
  made.set(x, y, width, height);
  return made;
}

const fields = ({ x, y, width, height }: Area) => [x, y, width, height];

describe('rectInside', () => {
  it('[utest->req~gpu.rectangle-exact~1] says what sums without bounds say, for unsigned fields and their patterns', () => {
    fc.assert(
      fc.property(u32, u32, u32, u32, side, side, (x, y, w, h, width, height) => {
        const inside =
          BigInt(x) + BigInt(w) <= BigInt(width) && BigInt(y) + BigInt(h) <= BigInt(height);
        assert.equal(rectInside(x, y, w, h, width, height), inside);
        assert.equal(rectInside(x | 0, y | 0, w | 0, h | 0, width, height), inside);
      }),
      seededRuns(5, 5000),
    );
  });

  it('[utest->req~gpu.rectangle-exact~1] each edge of the picture holds, in both directions', () => {
    const cases: readonly (readonly [number[], boolean])[] = [
      [[0, 0, 1280, 800], true],
      [[1279, 799, 1, 1], true],
      [[1280, 800, 0, 0], true],
      [[1, 0, 1280, 800], false],
      [[0, 1, 1280, 800], false],
      [[0, 0, 1281, 1], false],
      [[0, 0, 1, 801], false],
      [[1281, 0, 0, 0], false],
      [[0, 801, 0, 0], false],
      [[0xffff_ffff, 0, 1, 1], false],
      [[0, 0xffff_ffff, 1, 1], false],
      [[1, 0, 0xffff_ffff, 1], false],
      [[0, 1, 1, 0xffff_ffff], false],
      [[0, 0, 0x8000_0000, 1], false],
      [[0x8000_0000, 0, 0x8000_0000, 1], false],
    ];
    for (const [[x, y, w, h], inside] of cases) {
      assert.equal(rectInside(x!, y!, w!, h!, 1280, 800), inside, `${x} ${y} ${w} ${h}`);
      assert.equal(rectInside(x! | 0, y! | 0, w! | 0, h! | 0, 1280, 800), inside, 'pattern');
    }
  });
});

describe('Rect', () => {
  it('[utest->req~gpu.rectangle-exact~1] an intersection has the points of both and no other', () => {
    fc.assert(
      fc.property(area, area, (one, other) => {
        const common = rect(one);
        common.intersect(other);
        const both = new Set(points(other));
        assert.deepEqual(
          points(common).sort(),
          points(one)
            .filter((point) => both.has(point))
            .sort(),
        );
        assert.equal(common.isEmpty(), points(common).length === 0);
        if (common.isEmpty()) assert.deepEqual(fields(common), [0, 0, 0, 0]);
      }),
      seededRuns(6, 1000),
    );
  });

  it('[utest->req~gpu.rectangle-exact~1] a union is the smallest around both', () => {
    fc.assert(
      fc.property(area, area, (one, other) => {
        const around = rect(one);
        around.union(other);
        const all = [...points(one), ...points(other)].map((point) => point.split(' ').map(Number));
        if (all.length === 0) {
          assert.ok(around.isEmpty());
          return;
        }
        const [xs, ys] = [all.map(([x]) => x!), all.map(([, y]) => y!)];
        const [left, top] = [Math.min(...xs), Math.min(...ys)];
        assert.deepEqual(fields(around), [
          left,
          top,
          Math.max(...xs) - left + 1,
          Math.max(...ys) - top + 1,
        ]);
      }),
      seededRuns(7, 1000),
    );
  });

  it('[utest->req~gpu.rectangle-exact~1] is copied, moved and cleared in place', () => {
    const one = rect({ x: 1, y: 2, width: 3, height: 4 });
    const other = new Rect();
    assert.ok(other.isEmpty());
    other.copy(one);
    other.move(-2, 5);
    assert.deepEqual(fields(other), [-1, 7, 3, 4]);
    assert.deepEqual(fields(one), [1, 2, 3, 4]);
    other.clear();
    assert.deepEqual(fields(other), [0, 0, 0, 0]);
    other.set(5, 5, 0, 9);
    assert.ok(other.isEmpty());
    other.set(5, 5, 9, 0);
    assert.ok(other.isEmpty());
  });
});

describe('areasOutside', () => {
  it('[utest->req~gpu.rectangle-exact~1] what is left is disjoint, and exactly the points under no hole', () => {
    fc.assert(
      fc.property(area, fc.array(area, { maxLength: 4 }), (plane, holes) => {
        const covered = new Set(holes.flatMap(points));
        const left = points(plane).filter((point) => !covered.has(point));
        const parts = areasOutside(plane, holes);
        assert.ok(parts.every((part) => points(part).length > 0));
        const areas = parts.flatMap(points);
        assert.equal(new Set(areas).size, areas.length, 'disjoint');
        assert.deepEqual(areas.toSorted(), left.toSorted());
      }),
      seededRuns(8, 1000),
    );
  });

  it('[utest->req~gpu.rectangle-exact~1] a plane below a corner plane is two bands', () => {
    const plane = { x: 0, y: 0, width: 1280, height: 800 };
    assert.deepEqual(areasOutside(plane, [{ x: 0, y: 0, width: 640, height: 200 }]), [
      { x: 640, y: 0, width: 640, height: 200 },
      { x: 0, y: 200, width: 1280, height: 600 },
    ]);
    assert.deepEqual(areasOutside(plane, []), [plane]);
    assert.deepEqual(areasOutside(plane, [plane]), []);
  });
});
