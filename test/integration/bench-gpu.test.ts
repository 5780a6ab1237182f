/** The parts of `bench gpu` that need no client: short runs of them, and what they say. */
import { strict as assert } from 'node:assert';
import { copiesText, gpuCopies } from '../../src/cli/bench/gpu-copies.ts';
import { gpuNeighbour, neighbourText } from '../../src/cli/bench/gpu-neighbour.ts';

describe('bench gpu, in process', function () {
  this.timeout(120_000);

  it('[utest->req~guest.gpu-driver~1] pictures arrive, and both ways are measured in turn', () => {
    const copies = gpuCopies(1);
    assert.ok(copies.commandsGBs.median > 0 && copies.copyGBs.median > 0);
    assert.ok(copies.ratio.min > 0);
    assert.match(copiesText(copies), /^in process, transfer and flush: [\d.]+ GB\/s, plain copies/);
  });

  it('[utest->req~guest.gpu-flood~1] the neighbour floods in one run of a pair, and idles in the other', async () => {
    const said: string[] = [];
    const result = await gpuNeighbour((what) => said.push(what), 1, 6);
    const [quiet] = result.quiet;
    const [flooded] = result.flooded;
    assert.deepEqual(said, ['neighbour 1 of 1']);
    assert.equal(quiet!.neighbourRequests, 0);
    assert.ok(flooded!.neighbourRequests > 0);
    assert.equal(quiet!.mismatches + flooded!.mismatches, 0);
    assert.match(neighbourText(result), /^cluster-picture +[\d.]+ µs +[\d.]+ µs /m);
  });
});
