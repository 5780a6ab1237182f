/** What the dispatcher may ask of a queue: the serving rule knows nothing else. */

/** Result of serving one request. */
export const Served = {
  /** One request, or one piece of a long one, was carried out. */
  ONE: 0,
  /** The next request does not fit this window or this major frame; it stays where it is. */
  CLOSED: 1,
  /** The ring broke. */
  BROKEN: 2,
} as const;

export interface QueueService {
  /** Looks at the ring once: requests that can be served now. */
  look(): number;
  /**
   * Serves up to `max` requests of together at most `bytesLeft` bytes at once, as far as they are
   * simple enough; how many. None means that the next one is for {@link serve}.
   */
  serveMany(max: number, bytesLeft: number): number;
  /** Serves one request of at most `bytesLeft` bytes. */
  serve(bytesLeft: number): number;
  /** Bytes of the requests served last, packets without virtio-net header. */
  readonly lastBytes: number;
  /** Makes everything served so far visible, receivers first. */
  publish(): void;
  /** The ring was stopped, or starts anew: what was under way ends. */
  reset(): void;
  /** A new major frame: quotas begin anew. */
  majorFrameBegins(): void;
}
