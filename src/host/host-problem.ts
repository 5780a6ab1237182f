/** What the host refused, as a sentence; never a stack trace. */
export class HostProblem extends Error {
  override readonly name = 'HostProblem';
}
