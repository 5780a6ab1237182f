/** The version of this package. */
import { readPackageFile } from '../host/files.ts';

export function packageVersion(): string {
  return (JSON.parse(readPackageFile('package.json')) as { readonly version: string }).version;
}
