/** Copies of a display: one whole picture or none. */
import { strict as assert } from 'node:assert';
import { DisplayCounter } from '../../../src/channel/counters.ts';
import { DisplayView } from '../../../src/control-plane/display-view.ts';
import { GpuRig } from '../../support/gpu-rig.ts';

describe('view of a display', () => {
  const rig = new GpuRig();
  const { plan, counters } = rig;
  const view = new DisplayView(plan, plan.displays[0]!, rig.plane.arena.u8, counters);
  const at = counters.displayAt(0);

  it('[utest->req~disp.whole-picture~1] while a picture is being composed there is no copy, and then there is one', () => {
    const before = view.generation();
    counters.words[at + DisplayCounter.BEGUN]! += 1;
    assert.equal(view.generation(), before + 1);
    assert.equal(view.snapshot(), undefined);
    counters.words[at + DisplayCounter.COMPOSED]! += 1;
    const copy = view.snapshot();
    assert.deepEqual(copy, view.pixels().slice());
    assert.equal(copy!.length, view.widthPx * view.heightPx * 4);
  });

  it('[utest->req~disp.whole-picture~1] a picture that is begun while it is copied is given up', () => {
    const whole = view.pixels();
    const slice = whole.slice.bind(whole);
    whole.slice = () => {
      counters.words[at + DisplayCounter.BEGUN]! += 1;
      return slice();
    };
    assert.equal(view.snapshot(), undefined);
  });
});
