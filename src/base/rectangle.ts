/** Rectangles of whole pixels, with arithmetic that no value of 32 bits can make wrap. */
// [impl->req~gpu.rectangle-exact~1]

/** A place and a size, in pixels. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Whether a rectangle lies wholly in a picture of `pictureWidth` x `pictureHeight` pixels (each
 * below 2^31). The four fields are a guest's: unsigned, or their signed 32-bit patterns. An empty
 * rectangle lies inside as long as its corner does; its edge may be the picture's.
 */
export function rectInside(
  x: number,
  y: number,
  width: number,
  height: number,
  pictureWidth: number,
  pictureHeight: number,
): boolean {
  return (
    x >= 0 &&
    y >= 0 &&
    width >= 0 &&
    height >= 0 &&
    width <= pictureWidth &&
    height <= pictureHeight &&
    x <= pictureWidth - width &&
    y <= pictureHeight - height
  );
}

/**
 * A rectangle that changes in place, without allocation. Fields are whole numbers, small enough
 * that the sum of two is exact; x and y may be negative, as those of a cursor at the edge are.
 */
export class Rect implements Area {
  x = 0;
  y = 0;
  width = 0;
  height = 0;

  set(x: number, y: number, width: number, height: number): void {
    this.x = x;
    this.y = y;
    this.width = width;
    this.height = height;
  }

  copy(other: Area): void {
    this.set(other.x, other.y, other.width, other.height);
  }

  clear(): void {
    this.set(0, 0, 0, 0);
  }

  isEmpty(): boolean {
    return this.width <= 0 || this.height <= 0;
  }

  move(right: number, down: number): void {
    this.x += right;
    this.y += down;
  }

  /** Leaves what both have in common; nothing in common is the empty rectangle at 0, 0. */
  intersect(other: Area): void {
    const left = Math.max(this.x, other.x);
    const top = Math.max(this.y, other.y);
    const width = Math.min(this.x + this.width, other.x + other.width) - left;
    const height = Math.min(this.y + this.height, other.y + other.height) - top;
    if (width > 0 && height > 0) this.set(left, top, width, height);
    else this.clear();
  }

  /** Whether both have a pixel in common. */
  meets({ x, y, width, height }: Area): boolean {
    const across = this.x < x + width && x < this.x + this.width;
    return across && this.y < y + height && y < this.y + this.height;
  }

  /** Grows to the smallest rectangle around both; an empty one adds nothing. */
  union(other: Area): void {
    if (other.width <= 0 || other.height <= 0) return;
    if (this.isEmpty()) {
      this.copy(other);
      return;
    }
    const left = Math.min(this.x, other.x);
    const top = Math.min(this.y, other.y);
    const right = Math.max(this.x + this.width, other.x + other.width);
    const bottom = Math.max(this.y + this.height, other.y + other.height);
    this.set(left, top, right - left, bottom - top);
  }
}

/** What is left of an area without the parts under `holes`: disjoint, top first. Allocates. */
export function areasOutside(area: Area, holes: readonly Area[]): Area[] {
  const whole = area.width > 0 && area.height > 0 ? [area] : [];
  return holes.reduce<Area[]>((areas, hole) => areas.flatMap((one) => cut(one, hole)), whole);
}

/** Bands above and below the hole, and what is beside it between them. */
function cut(area: Area, hole: Area): Area[] {
  const common = new Rect();
  common.copy(area);
  common.intersect(hole);
  if (common.isEmpty()) return [area];
  const right = common.x + common.width;
  const bottom = common.y + common.height;
  const beside = { y: common.y, height: common.height };
  return [
    { x: area.x, y: area.y, width: area.width, height: common.y - area.y },
    { ...beside, x: area.x, width: common.x - area.x },
    { ...beside, x: right, width: area.x + area.width - right },
    { x: area.x, y: bottom, width: area.width, height: area.y + area.height - bottom },
  ].filter(({ width, height }) => width > 0 && height > 0);
}
