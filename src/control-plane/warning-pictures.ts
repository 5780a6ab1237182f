/** Pictures for the planes of lost owners, read before anything starts. */
import { besideFile, FileProblem } from '../host/files.ts';
import { readPng } from '../host/png.ts';
import type { GatewayPlan } from '../schedule/gateway-plan.ts';

/**
 * Puts the warning pictures of a plan where the data plane shows them from. `configFile`: the file
 * that names them, relative to its directory.
 * @throws FileProblem when one cannot be read or has not exactly the size of its plane
 */
// [impl->req~gpu.warning-picture~1]
export function loadWarningPictures(
  { planes, layout }: GatewayPlan,
  arena: Uint8Array,
  configFile: string,
): void {
  for (const { index, id, ownerLost, warningPicture, rectangle } of planes) {
    if (ownerLost !== 'warning') continue;
    const file = besideFile(configFile, warningPicture);
    const { width, height, bytes } = readPng(file);
    if (width !== rectangle.width || height !== rectangle.height) {
      throw new FileProblem(
        `${file}: a picture of ${width} x ${height} pixels; ` +
          `plane "${id}" has ${rectangle.width} x ${rectangle.height}`,
      );
    }
    arena.set(bytes, layout.planes[index]!.warningAt);
  }
}
